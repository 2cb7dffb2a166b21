// A block target whose writes are done by a thread of its own, in their order, while the caller goes on to read: one
// side of a copy need not wait for the other.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/block_target.h"
#include "base/result.h"

namespace domsmith {

// Of one caller at a time, as every target is. A write copies its bytes, joins those that follow one another, and
// returns before they are where they belong; an error of the target is that of a later call, at the latest of settle()
// or flush(), and no further byte is written after it. Everything but a write waits for what was written before.
class WriteBehind final : public BlockTarget {
 public:
  static constexpr std::size_t piece_bytes = 1U << 20;
  static constexpr std::size_t most_pieces = 4;  // of piece_bytes each: what it holds at most

  explicit WriteBehind(BlockTarget& target) : target_(&target) {}
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;
  WriteBehind(WriteBehind&&) = delete;
  WriteBehind& operator=(WriteBehind&&) = delete;
  ~WriteBehind() override;  // writes what is left; an error then is lost: settle() tells it

  [[nodiscard]] std::uint64_t size() const override { return target_->size(); }
  [[nodiscard]] std::string name() const override { return target_->name(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override;
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override;
  Result<void> discard(std::uint64_t offset, std::uint64_t length) override;
  Result<void> flush() override;
  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override;

  Result<void> settle();  // the target has all that was written (its flush() is another matter)

 private:
  struct Piece {
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };

  Result<void> submit();
  Result<void> error_so_far();
  void start();
  void work();

  BlockTarget* target_;
  Piece filling_;  // the caller's alone
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> waiting_;
  std::vector<std::vector<std::byte>> spare_;
  bool busy_ = false;  // a piece is being written
  bool ending_ = false;
  Result<void> written_;
  std::thread thread_;
};

}  // namespace domsmith
