#include "base/crypto.h"

#include <nettle/base64.h>
#include <nettle/eddsa.h>
#include <nettle/sha2.h>
#include <sys/random.h>

#include <cerrno>
#include <cstring>

namespace domsmith {

namespace {
const std::uint8_t* octets(const std::byte* bytes) { return reinterpret_cast<const std::uint8_t*>(bytes); }
std::uint8_t* octets(std::byte* bytes) { return reinterpret_cast<std::uint8_t*>(bytes); }
}  // namespace

struct Sha256::State {
  sha256_ctx context{};
};

Sha256::Sha256() : state_(std::make_unique<State>()) { sha256_init(&state_->context); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  sha256_update(&state_->context, bytes.size(), octets(bytes.data()));
}

void Sha256::update(std::string_view bytes) { update(std::as_bytes(std::span(bytes))); }

std::string Sha256::hex() {
  std::array<std::byte, SHA256_DIGEST_SIZE> digest{};
  sha256_digest(&state_->context, digest.size(), octets(digest.data()));
  return domsmith::hex(digest);
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

Ed25519KeyPair ed25519_from_seed(std::span<const std::byte, 32> seed) {
  Ed25519KeyPair pair{};
  std::memcpy(pair.seed.data(), seed.data(), seed.size());
  ed25519_sha512_public_key(octets(pair.public_key.data()), octets(seed.data()));
  return pair;
}

namespace {

class SystemRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte> into) override {
    while (!into.empty()) {
      const ssize_t got = ::getrandom(into.data(), into.size(), 0);
      if (got > 0) {
        into = into.subspan(static_cast<std::size_t>(got));
      } else if (errno != EINTR) {
        std::abort();  // getrandom(2) fails for no other cause on a kernel that has it; going on would mean weak keys
      }
    }
  }
};

class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : seed_(seed) {}
  void fill(std::span<std::byte> into) override {
    while (!into.empty()) {
      if (left_ == 0) {
        refill();
      }
      into.front() = block_[block_.size() - left_--];
      into = into.subspan(1);
    }
  }

 private:
  void refill() {
    sha256_ctx context{};
    sha256_init(&context);
    const std::array<std::uint64_t, 2> input{seed_, counter_++};
    sha256_update(&context, sizeof input, reinterpret_cast<const std::uint8_t*>(input.data()));
    sha256_digest(&context, block_.size(), octets(block_.data()));
    left_ = block_.size();
  }
  std::uint64_t seed_;
  std::uint64_t counter_ = 0;
  std::array<std::byte, SHA256_DIGEST_SIZE> block_{};
  std::size_t left_ = 0;
};

}  // namespace

RandomSource& system_random() {
  static SystemRandom source;
  return source;
}

std::unique_ptr<RandomSource> seeded_random(std::uint64_t seed) { return std::make_unique<SeededRandom>(seed); }

std::string hex(std::span<const std::byte> bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte) >> 4U];
    text += digits[std::to_integer<unsigned>(byte) & 15U];
  }
  return text;
}

std::string base64(std::span<const std::byte> bytes) {
  std::string text(BASE64_ENCODE_RAW_LENGTH(bytes.size()), '\0');
  base64_encode_raw(text.data(), bytes.size(), octets(bytes.data()));
  return text;
}

}  // namespace domsmith
