#include "base/crypto.h"

#include <gtest/gtest.h>

namespace domsmith {
namespace {

std::vector<std::byte> unhex(std::string_view text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

TEST(Sha256, passes_the_vectors_of_fips_180) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 digest;
  digest.update("a");
  digest.update("bc");
  EXPECT_EQ(digest.hex(), sha256_hex("abc"));
}

TEST(Ed25519, passes_the_first_vector_of_rfc_8032) {
  const auto seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const auto pair = ed25519_from_seed(std::span<const std::byte, 32>(seed));
  EXPECT_EQ(hex(pair.public_key), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

TEST(Random, seeded_repeats_and_system_does_not) {
  std::array<std::byte, 100> a{}, b{};
  seeded_random(7)->fill(a);
  seeded_random(7)->fill(b);
  EXPECT_EQ(a, b);
  seeded_random(8)->fill(b);
  EXPECT_NE(a, b);
  system_random().fill(a);
  system_random().fill(b);
  EXPECT_NE(a, b);
}

TEST(Base64, is_padded) {
  EXPECT_EQ(base64(std::as_bytes(std::span(std::string_view("a")))), "YQ==");
  EXPECT_EQ(base64({}), "");
}

}  // namespace
}  // namespace domsmith
