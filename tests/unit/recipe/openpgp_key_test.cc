#include "imagebuild/recipe/openpgp_key.h"

#include <gtest/gtest.h>

namespace domsmith {
namespace {

std::string what(std::string_view bytes) {
  const auto complaint = complaint_of_key(bytes);
  return complaint ? complaint->what : "";
}

TEST(OpenPgpKey, IsToldByItsFirstBytes) {
  EXPECT_EQ(what("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"), "");
  EXPECT_EQ(what("\x98\x33"), "") << "an old packet";
  EXPECT_EQ(what("\xc6\x33"), "") << "a new one";
  EXPECT_EQ(what("-----BEGIN PGP PRIVATE KEY BLOCK-----\n"), "is a private key");
  EXPECT_EQ(what("\x94\x33"), "is a private key");
  EXPECT_EQ(what("\xc5\x33"), "is a private key");
  EXPECT_EQ(what("\x88\x33"), "is no OpenPGP key") << "a signature";
  EXPECT_EQ(what("hello"), "is no OpenPGP key");
  EXPECT_EQ(what(""), "is no OpenPGP key");
}

TEST(OpenPgpKey, TheFileIsCalledAfterItsForm) {
  EXPECT_TRUE(is_armored_key("-----BEGIN PGP PUBLIC KEY BLOCK-----\n"));
  EXPECT_FALSE(is_armored_key("\x98\x33"));
}

}  // namespace
}  // namespace domsmith
