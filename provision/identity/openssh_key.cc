#include "provision/identity/openssh_key.h"

#include <fmt/format.h>

#include "base/crypto.h"

namespace domsmith {
namespace {

constexpr std::string_view kType = "ssh-ed25519";

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string uint32(std::size_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(number >> shift & 0xff);
  }
  return bytes;
}

std::string counted(std::string_view bytes) { return uint32(bytes.size()) + std::string(bytes); }

std::string base64_of(const std::string& bytes) { return base64(std::as_bytes(std::span(bytes))); }

std::string public_blob(const Ed25519KeyPair& pair) { return counted(kType) + counted(text_of(pair.public_key)); }

// byte[] "openssh-key-v1\0", cipher, kdf, kdf options, uint32 number of keys, the public key, and the private section:
// two equal check words, the key, its comment, and padding 1, 2, 3 … to the cipher's block size (8 for "none").
std::string private_blob(const Ed25519KeyPair& pair, std::string_view comment) {
  // The check words tell a wrong passphrase; there is none, so any number serves, and this one is the same each time.
  const auto check = std::string(text_of(pair.public_key).substr(0, 4));
  std::string section = check + check + counted(kType) + counted(text_of(pair.public_key)) +
                        counted(std::string(text_of(pair.seed)) + std::string(text_of(pair.public_key))) +
                        counted(comment);
  for (char pad = 1; section.size() % 8 != 0; ++pad) {
    section += pad;
  }
  return std::string("openssh-key-v1\0", 15) + counted("none") + counted("none") + counted("") + uint32(1) +
         counted(public_blob(pair)) + counted(section);
}

}  // namespace

std::string openssh_private_key(std::span<const std::byte, 32> seed, std::string_view comment) {
  constexpr std::size_t kColumns = 70;  // as ssh-keygen folds it
  const auto encoded = base64_of(private_blob(ed25519_from_seed(seed), comment));
  std::string text = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < encoded.size(); at += kColumns) {
    text += encoded.substr(at, kColumns) + "\n";
  }
  return text + "-----END OPENSSH PRIVATE KEY-----\n";
}

std::string openssh_public_key(std::span<const std::byte, 32> seed, std::string_view comment) {
  return fmt::format("{} {} {}", kType, base64_of(public_blob(ed25519_from_seed(seed))), comment);
}

}  // namespace domsmith
