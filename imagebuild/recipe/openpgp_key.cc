#include "imagebuild/recipe/openpgp_key.h"

namespace domsmith {

namespace {

constexpr unsigned secret_key_packet = 5;
constexpr unsigned public_key_packet = 6;

// RFC 9580, 4.2: bit 7 is set; bit 6 says in which six or four bits the type is.
unsigned packet_type(std::string_view bytes) {
  const auto first = bytes.empty() ? 0U : static_cast<unsigned char>(bytes[0]);
  if ((first & 0x80U) == 0) {
    return 0;
  }
  return (first & 0x40U) != 0 ? first & 0x3fU : (first >> 2U) & 0xfU;
}

}  // namespace

bool is_armored_key(std::string_view bytes) { return bytes.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"); }

std::optional<Complaint> complaint_of_key(std::string_view bytes) {
  if (bytes.find("-----BEGIN PGP PRIVATE KEY") != std::string_view::npos || packet_type(bytes) == secret_key_packet) {
    return Complaint{.what = "is a private key", .hint = "give the public one: gpg --armor --export KEY"};
  }
  if (is_armored_key(bytes) || packet_type(bytes) == public_key_packet) {
    return std::nullopt;
  }
  return Complaint{.what = "is no OpenPGP key", .hint = "make one with: gpg --armor --export KEY"};
}

}  // namespace domsmith
