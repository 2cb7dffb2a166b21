#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/error_text.h"

namespace domsmith {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) {
    return fail(ErrorCode::bad_input, "it is odd", "give an even number");
  }
  return n / 2;
}

Result<int> quarter(int n) { return half(TRY(half(n))); }
Result<int> eighth(int n) { return TRY(half(TRY(half(TRY(half(n)))))); }
Result<void> check(int n) {
  TRY_AS(quarter(n), "cannot quarter it");
  return {};
}

TEST(Try, gives_the_value_or_returns_the_error) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().what, "it is odd");
  EXPECT_EQ(*eighth(16), 2);
}

TEST(Try, as_wraps_and_keeps_code_and_remedy) {
  const auto result = check(6);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "cannot quarter it");
  EXPECT_EQ(result.error().causes, std::vector<std::string>{"it is odd"});
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  EXPECT_EQ(result.error().remedy, "give an even number");
}

TEST(FailErrno, picks_the_code) {
  EXPECT_EQ(fail_errno("x", ENOSPC).error().code, ErrorCode::no_space);
  EXPECT_EQ(fail_errno("x", EACCES).error().code, ErrorCode::denied);
  EXPECT_EQ(fail_errno("x", EIO).error().code, ErrorCode::failed);
  EXPECT_EQ(fail_errno("x", EIO).error().causes.front(), "Input/output error");
}

TEST(ExitStatus, is_two_for_input_and_one_for_the_rest) {
  EXPECT_EQ(exit_status(fail(ErrorCode::bad_input, "x").error()), 2);
  EXPECT_EQ(exit_status(fail(ErrorCode::busy, "x").error()), 1);
  EXPECT_EQ(exit_status(fail(ErrorCode::interrupted, "x").error()), 1);
}

}  // namespace
}  // namespace domsmith
