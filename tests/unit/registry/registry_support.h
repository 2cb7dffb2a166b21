// What tests of the registry share: a registry in a folder of its own, records, requests, and matchers of errors.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error_text.h"
#include "base/file.h"
#include "provision/registry/registry.h"

namespace domsmith {

// The value of a Result, or the test's failure with what a person would read.
template <class T>
T value_of(Result<T> result) {
  if (!result) {
    throw std::runtime_error(error_text(result.error()));
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

class StoppedClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::sys_seconds now() const override {
    return std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000));
  }
};

inline constexpr const char* kStore = "dir:/srv/store";

ImageRecord test_image(const std::string& name = "gold", const std::string& operation = "build-1");
GuestRequest test_request(const std::string& name, const std::string& image = "gold");
std::vector<GuestRequest> test_requests(const std::string& name, std::uint32_t count);
ReserveOptions test_options(const std::string& operation = "clone-1");
// Reserves and completes an image.
void add_image(Registry& registry, const std::string& name = "gold");
// Reserves and completes guests.
std::vector<GuestRecord> add_guests(Registry& registry, const std::string& name, std::uint32_t count);

std::vector<std::string> names_of(const std::vector<GuestRecord>& guests);

class RegistryTest : public testing::Test {
 protected:
  RegistryTest()
      : directory_(value_of(TemporaryDirectory::make())), file_(directory_.path() / "lib" / "registry.sqlite") {}
  [[nodiscard]] Registry open() const { return value_of(Registry::open(file_)); }

  TemporaryDirectory directory_;
  std::filesystem::path file_;
};

// EXPECT_THAT(result, FailsWith(ErrorCode::exists, HasSubstr("…"))): code and what.
MATCHER_P2(FailsWith, code, what, "") {
  if (arg.has_value()) {
    *result_listener << "which succeeded";
    return false;
  }
  *result_listener << "which failed: " << error_text(arg.error());
  return arg.error().code == code && testing::ExplainMatchResult(what, arg.error().what, result_listener);
}

}  // namespace domsmith
