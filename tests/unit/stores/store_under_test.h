// What the contract test needs of a store: the store, a second handle on it as another process has one, and names that
// nobody else uses there.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error_text.h"
#include "lvm-snapshots/store.h"

namespace domsmith::testing {

class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual VolumeStore& store() = 0;
  virtual std::unique_ptr<VolumeStore> another_handle() = 0;
  // A name of this test's own; the same for the same word.
  [[nodiscard]] virtual std::string name(const std::string& word) const { return word; }
  // A size that the store need not round.
  [[nodiscard]] virtual std::uint64_t volume_size() const { return 8ULL << 20; }
};

struct StoreMaker {
  std::string label;
  // Fails the test or skips it where this host has no such store; then it returns nullptr.
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

inline void PrintTo(const StoreMaker& maker, std::ostream* out) { *out << maker.label; }

// EXPECT_TRUE(ok(result)) shows the whole error where there is one.
template <class T>
::testing::AssertionResult ok(const Result<T>& result) {
  if (result) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << error_text(result.error());
}

template <class T>
::testing::AssertionResult fails(const Result<T>& result, ErrorCode code) {
  if (result) {
    return ::testing::AssertionFailure() << "it succeeded";
  }
  if (result.error().code != code) {
    return ::testing::AssertionFailure() << "another code: " << error_text(result.error());
  }
  if (result.error().what.empty()) {
    return ::testing::AssertionFailure() << "an error without a sentence";
  }
  return ::testing::AssertionSuccess();
}

}  // namespace domsmith::testing
