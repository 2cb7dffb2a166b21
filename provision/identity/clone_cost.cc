#include "provision/identity/clone_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/crypto.h"
#include "base/progress.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/identity/write.h"

namespace domsmith {

namespace {

// The image, with what is written to it kept in memory.
class Picture final : public BlockTarget {
 public:
  explicit Picture(BlockTarget& image) : image_(&image) {}
  [[nodiscard]] std::uint64_t size() const override { return image_->size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    TRY(image_->read(offset, into));
    return each_block(offset, into.size(), [&](std::uint64_t block, Piece piece) -> Result<void> {
      if (const auto found = written_.find(block); found != written_.end()) {
        std::ranges::copy(std::span(found->second).subspan(piece.at, piece.length), into.begin() + piece.done);
      }
      return {};
    });
  }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override {
    return each_block(offset, from.size(), [&](std::uint64_t block, Piece piece) -> Result<void> {
      std::vector<std::byte>& bytes = TRY(changed(block)).get();
      std::ranges::copy(from.subspan(piece.done, piece.length), bytes.begin() + piece.at);
      return {};
    });
  }
  Result<void> discard(std::uint64_t offset, std::uint64_t length) override {
    return each_block(offset, length, [&](std::uint64_t block, Piece piece) -> Result<void> {
      std::vector<std::byte>& bytes = TRY(changed(block)).get();
      std::ranges::fill(std::span(bytes).subspan(piece.at, piece.length), std::byte{});
      return {};
    });
  }
  Result<void> flush() override { return {}; }
  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override { return image_->next_data(offset); }
  [[nodiscard]] std::string name() const override { return image_->name(); }

  [[nodiscard]] CloneCost cost() const {
    std::set<std::uint64_t> chunks;
    for (const auto& [block, bytes] : written_) {
      chunks.insert(block * CloneCost::block_bytes / CloneCost::chunk_bytes);
    }
    return {.blocks = written_.size(), .chunks = chunks.size()};
  }

 private:
  struct Piece {
    std::ptrdiff_t at = 0;    // in the block
    std::ptrdiff_t done = 0;  // in the caller's bytes
    std::size_t length = 0;
  };
  template <class Take>
  static Result<void> each_block(std::uint64_t offset, std::uint64_t length, Take&& take) {
    for (std::uint64_t done = 0; done < length;) {
      const std::uint64_t at = (offset + done) % CloneCost::block_bytes;
      const std::uint64_t count = std::min(CloneCost::block_bytes - at, length - done);
      TRY(take(
          (offset + done) / CloneCost::block_bytes,
          Piece{.at = static_cast<std::ptrdiff_t>(at), .done = static_cast<std::ptrdiff_t>(done), .length = count}));
      done += count;
    }
    return {};
  }
  Result<std::reference_wrapper<std::vector<std::byte>>> changed(std::uint64_t block) {
    const auto [found, fresh] = written_.try_emplace(block, CloneCost::block_bytes);
    const std::uint64_t from = block * CloneCost::block_bytes;
    if (from >= size()) {
      return fail(ErrorCode::bad_input, fmt::format("{} ends before byte {}", name(), from));
    }
    if (fresh) {
      TRY(image_->read(from, std::span(found->second).first(std::min(CloneCost::block_bytes, size() - from))));
    }
    return std::ref(found->second);
  }

  BlockTarget* image_;
  std::map<std::uint64_t, std::vector<std::byte>> written_;  // by block
};

// One like any other, and the same each time.
Result<Identity> any_identity() {
  const std::array<std::string, 1> macs{"00:16:3e:00:00:01"};
  return make_identity("web-1", macs, {}, *seeded_random(1));
}

}  // namespace

Result<CloneCost> clone_cost(BlockTarget& image) {
  Picture picture(image);
  SilentProgress progress;
  auto fs = TRY(extfs::FileSystem::open(picture, Access::read_write));
  TRY(write_identity(fs, TRY(any_identity()), progress));
  TRY(fs.close());
  return picture.cost();
}

}  // namespace domsmith
