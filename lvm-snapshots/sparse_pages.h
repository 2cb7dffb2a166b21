// The bytes of an in-memory volume: sparse pages of 4 KiB, over those of a golden volume where it is a clone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "base/block_target.h"

namespace domsmith {

// Not safe for threads; the volume's lock guards it. Ranges lie inside the volume: the caller has checked.
class SparsePages {
 public:
  static constexpr std::size_t page_size = 4096;
  using Page = std::array<std::byte, page_size>;

  SparsePages() = default;
  // A clone's: reads what `base` holds until it is written over.
  explicit SparsePages(std::shared_ptr<const SparsePages> base) : base_(std::move(base)) {}

  void read(std::uint64_t offset, std::span<std::byte> into) const;
  void write(std::uint64_t offset, std::span<const std::byte> from);
  void discard(std::uint64_t offset, std::uint64_t length);
  [[nodiscard]] std::optional<ByteRange> next_data(std::uint64_t offset, std::uint64_t size) const;
  [[nodiscard]] std::uint64_t own_bytes() const;

 private:
  [[nodiscard]] const Page* find(std::uint64_t page) const;  // nullptr: zeroes
  [[nodiscard]] std::optional<std::uint64_t> next_page(std::uint64_t page) const;
  Page& own(std::uint64_t page);

  std::shared_ptr<const SparsePages> base_;
  std::map<std::uint64_t, std::unique_ptr<Page>> own_;  // nullptr: a hole over the base
};

}  // namespace domsmith
