#include "imagebuild/extfs/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/text.h"
#include "imagebuild/extfs/block_io.h"
#include "imagebuild/extfs/extents.h"

namespace domsmith::extfs {
namespace {

// Blocks behind the end, which a cursor hands out when no block is free, are not written.
class Inside final : public BlockWriter {
 public:
  explicit Inside(ext2_filsys fs) : io_(&BlockIo::of(fs->io)), end_(ext2fs_blocks_count(fs->super) * fs->blocksize) {}
  Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    return offset >= end_ ? Result<void>() : io_->write(offset, bytes);
  }

 private:
  BlockIo* io_;
  std::uint64_t end_;
};

std::unexpected<Error> full(std::string_view bytes) {
  return fail(ErrorCode::no_space, fmt::format("the file system has no room for {} more", size_text(bytes.size())));
}

Result<void> put_extents(ext2_filsys fs, ext2_ino_t number, struct ext2_inode_large& inode, std::string_view bytes) {
  BlockCursor cursor(fs);
  Inside writer(fs);
  std::vector<Extent> extents;
  std::uint64_t blocks = blocks_of(bytes.size(), fs->blocksize);
  for (std::uint64_t at = 0; at < blocks && !cursor.overflowed();) {
    const BlockRun run = cursor.take(blocks - at);
    append_extent(extents, static_cast<std::uint32_t>(at), run);
    at += run.count;
  }
  if (cursor.overflowed()) {
    return full(bytes);
  }
  const ExtentTree tree = TRY(write_extent_tree(fs, number, extents, cursor, writer));
  if (cursor.overflowed()) {
    return full(bytes);
  }
  std::vector<std::byte> piece;
  for (const Extent& each : extents) {
    const std::size_t from = std::size_t{each.logical} * fs->blocksize;
    const std::size_t length = std::min<std::size_t>(bytes.size() - from, std::size_t{each.length} * fs->blocksize);
    piece.assign(std::size_t{each.length} * fs->blocksize, std::byte{});
    std::memcpy(piece.data(), bytes.data() + from, length);
    TRY(writer.write(each.physical * fs->blocksize, piece));
  }
  cursor.commit();
  std::memcpy(inode.i_block, tree.root.data(), tree.root.size());
  inode.i_flags |= EXT4_EXTENTS_FL;
  blocks += tree.blocks.size();
  return ext2_check(fs, ext2fs_iblk_set(fs, EXT2_INODE(&inode), blocks), "cannot count a file's blocks");
}

// ext2 and ext3: through libext2fs, which makes the indirect blocks.
Result<void> put_block_map(ext2_filsys fs, ext2_ino_t number, struct ext2_inode_large& inode, std::string_view bytes) {
  const std::uint64_t blocks = blocks_of(bytes.size(), fs->blocksize);
  if (blocks + blocks / 128 + 4 > ext2fs_free_blocks_count(fs->super)) {
    return full(bytes);
  }
  TRY(write_inode(fs, number, inode));
  ext2_file_t file = nullptr;
  TRY(ext2_check(fs, ext2fs_file_open(fs, number, EXT2_FILE_WRITE, &file), "cannot open a new file"));
  errcode_t code = 0;
  while (code == 0 && !bytes.empty()) {
    unsigned written = 0;
    code = ext2fs_file_write(
        file, bytes.data(), static_cast<unsigned>(std::min<std::size_t>(bytes.size(), std::size_t{1} << 20)), &written);
    bytes.remove_prefix(written);
  }
  const errcode_t closed = ext2fs_file_close(file);
  TRY(ext2_check(fs, code != 0 ? code : closed, "cannot write a new file"));
  return ext2_check(fs, ext2fs_read_inode_full(fs, number, EXT2_INODE(&inode), sizeof inode), "cannot read an inode");
}

}  // namespace

Result<void> put_content(ext2_filsys fs, ext2_ino_t number, struct ext2_inode_large& inode, std::string_view bytes) {
  if (!ext2fs_has_feature_extents(fs->super)) {
    return put_block_map(fs, number, inode, bytes);
  }
  TRY(put_extents(fs, number, inode, bytes));
  return ext2_check(fs, ext2fs_inode_size_set(fs, EXT2_INODE(&inode), static_cast<ext2_off64_t>(bytes.size())),
                    "cannot set a file's size");
}

Result<void> write_inode(ext2_filsys fs, ext2_ino_t number, const struct ext2_inode_large& inode) {
  std::vector<std::byte> bytes(std::max<std::size_t>(EXT2_INODE_SIZE(fs->super), sizeof inode));
  std::memcpy(bytes.data(), &inode, sizeof inode);
  return ext2_check(fs,
                    ext2fs_write_inode_full(fs, number, reinterpret_cast<struct ext2_inode*>(bytes.data()),
                                            static_cast<int>(EXT2_INODE_SIZE(fs->super))),
                    "cannot write an inode");
}

}  // namespace domsmith::extfs
