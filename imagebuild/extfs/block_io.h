// libext2fs's way to a BlockTarget: an io_manager with a small cache of pages.
//
// A write goes to the cache and is compared with what is there already: bytes that do not change are never written, so
// that a flush, which hands over every bitmap and descriptor, touches only what differs (a clone copies up no more than
// that), and zeroes on a target that reads as zeroes stay holes. Dirty neighbours go out in one write.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "base/block_target.h"
#include "base/result.h"
#include "imagebuild/extfs/ext2.h"

namespace domsmith::extfs {

class BlockIo {
 public:
  static constexpr std::size_t page_bytes = 4096;

  BlockIo(BlockTarget& target, bool writable) : target_(&target), writable_(writable) {}

  // The object behind a channel that manager() opened.
  static BlockIo& of(io_channel channel) { return *static_cast<BlockIo*>(channel->private_data); }
  // For ext2fs_open2() and ext2fs_initialize(), which know their device by name only: while the Opening lives, a
  // channel that this thread opens leads to its target.
  static io_manager manager();
  class Opening {
   public:
    explicit Opening(BlockTarget& target);
    ~Opening();
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
  };

  Result<void> read(std::uint64_t offset, std::span<std::byte> into);
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from);
  Result<void> zero(std::uint64_t offset, std::uint64_t length);
  Result<void> write_back();  // all that is dirty, to the target
  Result<void> drop();        // write_back(), then forget what is cached
  Result<void> flush();       // write_back(), then the target's flush()

  [[nodiscard]] BlockTarget& target() const { return *target_; }
  [[nodiscard]] std::uint64_t bytes_written() const { return bytes_written_; }

  // What names led to, since the last write that changed a byte: for find_name.cc.
  using Names = std::unordered_map<std::string, ext2_ino_t>;
  [[nodiscard]] Names& names() { return names_; }

  // What a call of libext2fs, which carries a number only, failed of.
  void keep_error(Error error) { error_ = std::move(error); }
  std::optional<Error> take_error() { return std::exchange(error_, std::nullopt); }

 private:
  struct Page {
    std::array<std::byte, page_bytes> bytes;
    bool dirty = false;
  };
  using Pages = std::map<std::uint64_t, std::unique_ptr<Page>>;

  Result<Page*> page(std::uint64_t number);
  [[nodiscard]] std::size_t page_size(std::uint64_t number) const;
  Result<void> check_range(std::uint64_t offset, std::uint64_t length) const;
  Result<void> write_run(Pages::iterator first, Pages::iterator last);

  BlockTarget* target_;
  bool writable_;
  Pages pages_;
  Names names_;
  std::uint64_t bytes_written_ = 0;
  std::optional<Error> error_;
};

}  // namespace domsmith::extfs
