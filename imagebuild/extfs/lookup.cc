#include "imagebuild/extfs/lookup.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"
#include "imagebuild/extfs/find_name.h"
#include "imagebuild/extfs/inode.h"

namespace domsmith::extfs {
namespace {

constexpr unsigned most_links = 40;  // as path_resolution(7)
constexpr std::size_t most_path_bytes = 1U << 20;
constexpr std::size_t longest_name = 255;

class Walk {
 public:
  Walk(ext2_filsys fs, std::string_view path, Follow follow) : fs_(fs), follow_(follow), rest_(path) {}

  Result<Found> run() {
    Found found{.parent = EXT2_ROOT_INO, .name = {}, .inode = EXT2_ROOT_INO};
    for (std::string name = next(); !name.empty(); name = next()) {
      if (name == "..") {
        if (above_.size() > 1) {
          above_.pop_back();
        }
        found = {.parent = above_.back(), .name = {}, .inode = above_.back()};
        continue;
      }
      found = TRY(look_up_in(fs_, above_.back(), std::move(name)));
      const bool last = at_end();
      if (found.inode == 0) {
        if (last && !followed_last_) {
          return found;
        }
        return fail(ErrorCode::not_found, fmt::format("'{}' does not exist", found.name));
      }
      TRY(enter(found, last));
    }
    return found;
  }

 private:
  // The next component that is not empty and not "."; empty at the end.
  std::string next() {
    while (!rest_.empty()) {
      const std::size_t slash = rest_.find('/');
      std::string component = rest_.substr(0, slash);
      rest_.erase(0, slash == std::string::npos ? rest_.size() : slash + 1);
      if (!component.empty() && component != ".") {
        return component;
      }
    }
    return {};
  }
  [[nodiscard]] bool at_end() const { return rest_.find_first_not_of('/') == std::string::npos; }

  // Goes into a directory, or on along a link.
  Result<void> enter(const Found& found, bool last) {
    const auto inode = TRY(read_inode(fs_, found.inode));
    if (LINUX_S_ISDIR(inode.i_mode)) {
      above_.push_back(found.inode);
      return {};
    }
    if (LINUX_S_ISLNK(inode.i_mode) && (!last || follow_ == Follow::yes)) {
      return follow_link(found, last);
    }
    if (!last || !rest_.empty()) {
      return fail(ErrorCode::not_found, fmt::format("'{}' is no directory", found.name));
    }
    return {};
  }

  Result<void> follow_link(const Found& found, bool last) {
    if (++links_ > most_links) {
      return fail(ErrorCode::failed, fmt::format("'{}' leads through more than {} links", found.name, most_links));
    }
    const std::string target = TRY(read_symlink(fs_, found.inode));
    if (target.starts_with('/')) {
      above_.resize(1);
    }
    followed_last_ = followed_last_ || last;
    rest_ = target + "/" + rest_;
    if (last) {
      rest_.pop_back();
    }
    if (rest_.size() > most_path_bytes) {
      return fail(ErrorCode::failed, fmt::format("'{}' leads to a path that is too long", found.name));
    }
    return {};
  }

  ext2_filsys fs_;
  Follow follow_;
  std::string rest_;
  std::vector<ext2_ino_t> above_{EXT2_ROOT_INO};  // the directories from the root to where the walk is
  unsigned links_ = 0;
  bool followed_last_ = false;
};

}  // namespace

Result<Found> look_up_in(ext2_filsys fs, ext2_ino_t directory, std::string name) {
  if (name.size() > longest_name || name.find('\0') != std::string::npos) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' cannot be a name", name.substr(0, 80)));
  }
  const ext2_ino_t inode = TRY(find_name(fs, directory, name));
  return Found{.parent = directory, .name = std::move(name), .inode = inode};
}

Result<Found> look_up(ext2_filsys fs, std::string_view path, Follow follow) {
  TRY_AS(read_inode(fs, EXT2_ROOT_INO), "the image has no root directory");
  return Walk(fs, path, follow).run();
}

Result<ext2_ino_t> look_up_existing(ext2_filsys fs, std::string_view path, Follow follow) {
  const Found found = TRY(look_up(fs, path, follow));
  if (found.inode == 0) {
    return fail(ErrorCode::not_found, fmt::format("'{}' does not exist", found.name));
  }
  return found.inode;
}

Result<struct ext2_inode_large> read_inode(ext2_filsys fs, ext2_ino_t inode) {
  struct ext2_inode_large read = {};
  TRY(ext2_check(fs, ext2fs_read_inode_full(fs, inode, EXT2_INODE(&read), sizeof read), "cannot read an inode"));
  return read;
}

Result<std::string> read_symlink(ext2_filsys fs, ext2_ino_t inode) {
  auto node = TRY(read_inode(fs, inode));
  if (ext2fs_is_fast_symlink(EXT2_INODE(&node)) != 0) {
    const auto* text = reinterpret_cast<const char*>(node.i_block);
    return std::string(text, strnlen(text, std::min<std::size_t>(node.i_size, sizeof node.i_block)));
  }
  return read_content(fs, inode, fs->blocksize);
}

Result<std::string> read_content(ext2_filsys fs, ext2_ino_t inode, std::uint64_t most_bytes) {
  auto node = TRY(read_inode(fs, inode));
  const std::uint64_t size = EXT2_I_SIZE(&node);
  if (size > most_bytes) {
    return fail(ErrorCode::failed,
                fmt::format("it has {}, more than the {} allowed here", size_text(size), size_text(most_bytes)));
  }
  ext2_file_t file = nullptr;
  TRY(ext2_check(fs, ext2fs_file_open2(fs, inode, EXT2_INODE(&node), 0, &file), "cannot open it"));
  std::string bytes(size, '\0');
  errcode_t code = 0;
  for (std::size_t at = 0; code == 0 && at < bytes.size();) {
    unsigned got = 0;
    const auto wanted = static_cast<unsigned>(std::min<std::size_t>(bytes.size() - at, 1U << 20));
    code = ext2fs_file_read(file, bytes.data() + at, wanted, &got);
    at += got;
    if (got == 0) {
      break;
    }
  }
  ext2fs_file_close(file);
  TRY(ext2_check(fs, code, "cannot read it"));
  return bytes;
}

}  // namespace domsmith::extfs
