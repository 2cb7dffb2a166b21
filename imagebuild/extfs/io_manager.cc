// The functions that libext2fs calls; each hands on to the BlockIo behind the channel.
#include <cerrno>
#include <cstring>
#include <utility>

#include "imagebuild/extfs/block_io.h"

namespace domsmith::extfs {
namespace {

thread_local BlockTarget* opening_target = nullptr;

errcode_t answer(io_channel channel, Result<void> result, errcode_t otherwise) {
  if (result) {
    return 0;
  }
  BlockIo::of(channel).keep_error(std::move(result).error());
  return otherwise;
}

// A count below zero is a number of bytes (lib/ext2fs/io_manager.c).
std::size_t length_of(io_channel channel, int count) {
  return count < 0 ? static_cast<std::size_t>(-static_cast<long>(count))
                   : static_cast<std::size_t>(count) * static_cast<std::size_t>(channel->block_size);
}

std::uint64_t offset_of(io_channel channel, unsigned long long block) {
  return block * static_cast<unsigned>(channel->block_size);
}

errcode_t open_channel(const char* name, int flags, io_channel* result) {
  if (opening_target == nullptr) {
    return EXT2_ET_BAD_DEVICE_NAME;
  }
  auto* channel = static_cast<io_channel>(std::calloc(1, sizeof(struct struct_io_channel)));
  char* copy = strdup(name);
  if (channel == nullptr || copy == nullptr) {
    std::free(channel);
    std::free(copy);
    return EXT2_ET_NO_MEMORY;
  }
  channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  channel->manager = BlockIo::manager();
  channel->name = copy;
  channel->block_size = 1024;
  channel->refcount = 1;
  channel->private_data = new BlockIo(*opening_target, (flags & IO_FLAG_RW) != 0);
  *result = channel;
  return 0;
}

errcode_t close_channel(io_channel channel) {
  if (--channel->refcount > 0) {
    return 0;
  }
  delete &BlockIo::of(channel);
  std::free(channel->name);
  std::free(channel);
  return 0;
}

errcode_t set_block_size(io_channel channel, int size) {
  channel->block_size = size;
  return 0;
}

errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void* data) {
  const std::span into(static_cast<std::byte*>(data), length_of(channel, count));
  return answer(channel, BlockIo::of(channel).read(offset_of(channel, block), into), EXT2_ET_SHORT_READ);
}

errcode_t write_blocks(io_channel channel, unsigned long long block, int count, const void* data) {
  const std::span from(static_cast<const std::byte*>(data), length_of(channel, count));
  return answer(channel, BlockIo::of(channel).write(offset_of(channel, block), from), EXT2_ET_SHORT_WRITE);
}

errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void* data) {
  return read_blocks(channel, block, count, data);
}

errcode_t write_blocks_32(io_channel channel, unsigned long block, int count, const void* data) {
  return write_blocks(channel, block, count, data);
}

errcode_t flush_channel(io_channel channel) { return answer(channel, BlockIo::of(channel).flush(), EIO); }

errcode_t write_bytes(io_channel channel, unsigned long offset, int count, const void* data) {
  const std::span from(static_cast<const std::byte*>(data), static_cast<std::size_t>(count));
  return answer(channel, BlockIo::of(channel).write(offset, from), EXT2_ET_SHORT_WRITE);
}

errcode_t zero_blocks(io_channel channel, unsigned long long block, unsigned long long count) {
  const std::uint64_t length = count * static_cast<unsigned>(channel->block_size);
  return answer(channel, BlockIo::of(channel).zero(offset_of(channel, block), length), EIO);
}

}  // namespace

io_manager BlockIo::manager() {
  static struct struct_io_manager manager = [] {
    struct struct_io_manager made = {};
    made.magic = EXT2_ET_MAGIC_IO_MANAGER;
    made.name = "domsmith block target";
    made.open = open_channel;
    made.close = close_channel;
    made.set_blksize = set_block_size;
    made.read_blk = read_blocks_32;
    made.write_blk = write_blocks_32;
    made.flush = flush_channel;
    made.write_byte = write_bytes;
    made.read_blk64 = read_blocks;
    made.write_blk64 = write_blocks;
    made.discard = zero_blocks;
    made.zeroout = zero_blocks;
    return made;
  }();
  return &manager;
}

BlockIo::Opening::Opening(BlockTarget& target) { opening_target = &target; }
BlockIo::Opening::~Opening() { opening_target = nullptr; }

}  // namespace domsmith::extfs
