// What tests of identities share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "base/error_text.h"
#include "provision/identity/identity.h"

namespace domsmith {

template <class T>
T value_of(Result<T> result) {
  if (!result) {
    throw std::runtime_error(error_text(result.error()));
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

// EXPECT_THAT(result, FailsWith(ErrorCode::exists, HasSubstr("…"))): code and what.
MATCHER_P2(FailsWith, code, what, "") {
  if (arg.has_value()) {
    *result_listener << "which succeeded";
    return false;
  }
  *result_listener << "which failed: " << error_text(arg.error());
  return arg.error().code == code && testing::ExplainMatchResult(what, arg.error().what, result_listener);
}

inline const std::string kUserKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0fYcu0mXh1vAXkRgkuMDAJyPjT5NSl0zc8ZQqPVTnp ops@example";

// The same one each time.
inline Identity test_identity(const std::string& name = "web-1", IdentityOptions options = {},
                              std::vector<std::string> macs = {"00:16:3e:80:00:01"}) {
  const auto random = seeded_random(42);
  return value_of(make_identity(name, macs, options, *random));
}

}  // namespace domsmith
