#include "imagebuild/extfs/ext2.h"

#include <utility>

#include "imagebuild/extfs/block_io.h"

namespace domsmith::extfs {
namespace {

void load_messages() {
  static const bool loaded = [] {
    initialize_ext2_error_table();
    return true;
  }();
  static_cast<void>(loaded);
}

bool means_damage(errcode_t code) {
  switch (code) {
    case EXT2_ET_BAD_MAGIC:
    case EXT2_ET_CORRUPT_SUPERBLOCK:
    case EXT2_ET_DIR_CORRUPTED:
    case EXT2_ET_BAD_BLOCK_NUM:
    case EXT2_ET_BAD_INODE_NUM:
    case EXT2_ET_EXTENT_HEADER_BAD:
    case EXT2_ET_EXTENT_CSUM_INVALID:
    case EXT2_ET_INODE_CSUM_INVALID:
    case EXT2_ET_INODE_CORRUPTED:
    case EXT2_ET_DIR_CSUM_INVALID:
    case EXT2_ET_SB_CSUM_INVALID:
    case EXT2_ET_EXT_ATTR_CSUM_INVALID:
    case EXT2_ET_BLOCK_BITMAP_CSUM_INVALID:
    case EXT2_ET_INODE_BITMAP_CSUM_INVALID:
    case EXT2_ET_GDESC_BAD_BLOCK_MAP:
    case EXT2_ET_GDESC_BAD_INODE_MAP:
    case EXT2_ET_GDESC_BAD_INODE_TABLE:
    case EXT2_ET_FILESYSTEM_CORRUPTED:
    case EXT2_ET_BAD_EA_HASH:
    case EXT2_ET_EA_BAD_NAME_LEN:
    case EXT2_ET_EA_BAD_VALUE_SIZE:
    case EXT2_ET_EA_BAD_VALUE_OFFSET:
    case EXT2_ET_SYMLINK_LOOP:
      return true;
    default:
      return false;
  }
}

std::pair<ErrorCode, const char*> judge(errcode_t code) {
  switch (code) {
    case EXT2_ET_BLOCK_ALLOC_FAIL:
    case EXT2_ET_INODE_ALLOC_FAIL:
    case EXT2_ET_DIR_NO_SPACE:
    case EXT2_ET_EA_NO_SPACE:
    case EXT2_ET_TOOSMALL:
    case EXT2_ET_TOO_MANY_INODES:
    case ENOSPC:
      return {ErrorCode::no_space, ""};
    case EXT2_ET_FILE_NOT_FOUND:
      return {ErrorCode::not_found, ""};
    case EXT2_ET_UNSUPP_FEATURE:
    case EXT2_ET_RO_UNSUPP_FEATURE:
    case EXT2_ET_REV_TOO_HIGH:
      return {ErrorCode::unsupported, ""};
    case EXT2_ET_RO_FILSYS:
      return {ErrorCode::denied, "it was opened for reading only"};
    default:
      return {ErrorCode::failed, means_damage(code) ? "the file system is damaged: check it with e2fsck" : ""};
  }
}

}  // namespace

std::unexpected<Error> ext2_fail(ext2_filsys fs, errcode_t code, std::string what) {
  load_messages();
  if (fs != nullptr && fs->io != nullptr) {
    if (auto beneath = BlockIo::of(fs->io).take_error()) {
      return wrap(std::move(*beneath), std::move(what));
    }
  }
  auto [kind, remedy] = judge(code);
  Error error;
  error.code = kind;
  error.what = std::move(what);
  error.causes.emplace_back(error_message(code));
  error.remedy = remedy;
  return std::unexpected(std::move(error));
}

}  // namespace domsmith::extfs
