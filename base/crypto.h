// SHA-256, Ed25519 (nettle) and random bytes (getrandom(2)).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace domsmith {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  void update(std::string_view bytes);
  std::string hex();  // 64 lower-case digits; ends the digest

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);

struct Ed25519KeyPair {
  std::array<std::byte, 32> seed;  // the private key of RFC 8032
  std::array<std::byte, 32> public_key;
};
Ed25519KeyPair ed25519_from_seed(std::span<const std::byte, 32> seed);

// Where randomness comes from; a test gives a seeded one.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(std::span<std::byte> into) = 0;
};
RandomSource& system_random();                                    // getrandom(2)
std::unique_ptr<RandomSource> seeded_random(std::uint64_t seed);  // for tests: SHA-256 in counter mode

std::string hex(std::span<const std::byte> bytes);
std::string base64(std::span<const std::byte> bytes);

}  // namespace domsmith
