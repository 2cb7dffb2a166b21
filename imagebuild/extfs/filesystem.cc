#include "imagebuild/extfs/filesystem.h"

#include <fmt/format.h>

#include <cstring>
#include <ctime>

#include "imagebuild/extfs/block_io.h"

namespace domsmith::extfs {

FileSystem::FileSystem(Handle fs, BlockTarget& target) : fs_(std::move(fs)), target_(&target) {}
FileSystem::FileSystem(FileSystem&&) noexcept = default;
FileSystem& FileSystem::operator=(FileSystem&&) noexcept = default;
FileSystem::~FileSystem() = default;

void FileSystem::Closer::operator()(struct_ext2_filsys* fs) const noexcept { ext2fs_free(fs); }

Result<FileSystem> FileSystem::open(BlockTarget& target, Access access) {
  // Backups of the superblock are left as they are, as the kernel leaves them: a clone copies up what is written.
  const int flags = EXT2_FLAG_64BITS | EXT2_FLAG_MASTER_SB_ONLY | (access == Access::read_write ? EXT2_FLAG_RW : 0);
  ext2_filsys raw = nullptr;
  const std::string failed = fmt::format("cannot open the file system of {}", target.name());
  {
    const BlockIo::Opening opening(target);
    if (const errcode_t code = ext2fs_open2("target", nullptr, flags, 0, 0, BlockIo::manager(), &raw); code != 0) {
      if (code == EXT2_ET_BAD_MAGIC || code == EXT2_ET_SHORT_READ) {
        return fail(ErrorCode::unsupported, fmt::format("{} holds no ext4 file system", target.name()));
      }
      return ext2_fail(nullptr, code, failed);
    }
  }
  Handle fs(raw);
  if (ext2fs_has_feature_journal_needs_recovery(fs->super)) {
    return fail(ErrorCode::unsupported, fmt::format("the journal of {} has to be replayed first", target.name()),
                fmt::format("run e2fsck on it, or stop the guest cleanly"));
  }
  TRY(ext2_check(fs.get(), ext2fs_read_bitmaps(fs.get()), failed.c_str()));
  return FileSystem(std::move(fs), target);
}

std::uint64_t FileSystem::size() const { return ext2fs_blocks_count(fs_->super) * fs_->blocksize; }
std::uint64_t FileSystem::free_bytes() const { return ext2fs_free_blocks_count(fs_->super) * fs_->blocksize; }
std::uint64_t FileSystem::used_bytes() const { return size() - free_bytes(); }
std::uint32_t FileSystem::block_size() const { return fs_->blocksize; }
std::uint64_t FileSystem::free_inodes() const { return fs_->super->s_free_inodes_count; }

Uuid FileSystem::uuid() const {
  Uuid uuid{};
  std::memcpy(uuid.data(), fs_->super->s_uuid, uuid.size());
  return uuid;
}

std::string FileSystem::label() const {
  const auto* name = reinterpret_cast<const char*>(fs_->super->s_volume_name);
  return {name, strnlen(name, EXT2_LABEL_LEN)};
}

Result<void> FileSystem::set_uuid(const Uuid& uuid) {
  if (ext2fs_has_feature_metadata_csum(fs_->super) && !ext2fs_has_feature_csum_seed(fs_->super)) {
    fs_->super->s_checksum_seed = fs_->csum_seed;
    ext2fs_set_feature_csum_seed(fs_->super);
  }
  std::memcpy(fs_->super->s_uuid, uuid.data(), uuid.size());
  ext2fs_mark_super_dirty(fs_.get());
  return {};
}

Result<void> FileSystem::set_label(std::string_view label) {
  if (label.size() > EXT2_LABEL_LEN) {
    return fail(ErrorCode::bad_input, fmt::format("the label '{}' is longer than {} bytes", label, EXT2_LABEL_LEN),
                "choose a shorter label");
  }
  std::memset(fs_->super->s_volume_name, 0, EXT2_LABEL_LEN);
  std::memcpy(fs_->super->s_volume_name, label.data(), label.size());
  ext2fs_mark_super_dirty(fs_.get());
  return {};
}

Result<std::optional<ByteRange>> FileSystem::next_used(std::uint64_t offset) {
  const std::uint64_t last = ext2fs_blocks_count(fs_->super) - 1;
  const std::uint64_t lead =
      fs_->super->s_first_data_block;  // 1 KiB before the superblock, where blocks are that small
  if (offset < lead * fs_->blocksize) {
    return ByteRange{0, lead * fs_->blocksize};
  }
  const std::uint64_t from = offset / fs_->blocksize;
  blk64_t first = 0;
  if (from > last || ext2fs_find_first_set_block_bitmap2(fs_->block_map, from, last, &first) != 0) {
    return std::nullopt;
  }
  blk64_t end = 0;
  if (ext2fs_find_first_zero_block_bitmap2(fs_->block_map, first, last, &end) != 0) {
    end = last + 1;
  }
  return ByteRange{first * fs_->blocksize, (end - first) * fs_->blocksize};
}

Result<void> FileSystem::flush() {
  if ((fs_->flags & EXT2_FLAG_RW) == 0) {
    return {};
  }
  constexpr int changed = EXT2_FLAG_DIRTY | EXT2_FLAG_CHANGED | EXT2_FLAG_IB_DIRTY | EXT2_FLAG_BB_DIRTY;
  if ((fs_->flags & changed) != 0) {
    TRY(ext2_check(fs_.get(), ext2fs_flush2(fs_.get(), EXT2_FLAG_FLUSH_NO_SYNC), "cannot write the file system"));
    fs_->flags &= ~EXT2_FLAG_CHANGED;
  }
  TRY_AS(BlockIo::of(fs_->io).flush(), "cannot write the file system");
  return {};
}

Result<void> FileSystem::close() {
  TRY(flush());
  fs_.reset();
  return {};
}

}  // namespace domsmith::extfs
