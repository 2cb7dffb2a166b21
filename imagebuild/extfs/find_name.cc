#include "imagebuild/extfs/find_name.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "imagebuild/extfs/block_io.h"

namespace domsmith::extfs {
namespace {

constexpr std::size_t head_bytes = 8;     // of an entry, before its name
constexpr std::size_t info_at = 24;       // of the tree's description, behind "." and ".."
constexpr unsigned deepest = 3;           // levels below the root that ext4 knows (large_dir)
constexpr std::size_t most_names = 4096;  // that are remembered

class TreeSearch {
 public:
  TreeSearch(ext2_filsys fs, ext2_ino_t directory, std::string_view name)
      : fs_(fs), directory_(directory), name_(name), block_(fs->blocksize) {}

  // nullopt: not to be decided by the tree. 0: not there.
  Result<std::optional<ext2_ino_t>> run() {
    const ext2_dirhash_t hash = TRY(name_hash(fs_, name_, nullptr));
    if (!TRY(load(0))) {
      return std::nullopt;
    }
    struct ext2_dx_root_info info = {};
    std::memcpy(&info, block_.data() + info_at, sizeof info);
    if (info.hash_version != fs_->super->s_def_hash_version || info.indirect_levels > deepest) {
      return std::nullopt;
    }
    std::size_t table = info_at + info.info_length;
    for (unsigned level = 0;; ++level) {
      const auto step = choose(table, hash);
      if (!step || !TRY(load(step->block))) {
        return std::nullopt;
      }
      shared_ = shared_ || step->next_shares_hash;
      if (level == info.indirect_levels) {
        break;
      }
      table = head_bytes;
    }
    const ext2_ino_t found = in_leaf();
    if (found == 0 && shared_) {
      return std::nullopt;  // names of one hash go on in the next leaf
    }
    return found;
  }

 private:
  struct Step {
    std::uint32_t block = 0;
    bool next_shares_hash = false;
  };

  Result<bool> load(std::uint32_t logical) {
    blk64_t physical = 0;
    TRY(ext2_check(fs_, ext2fs_bmap2(fs_, directory_, nullptr, nullptr, 0, logical, nullptr, &physical),
                   "cannot find a directory block"));
    return physical != 0 && ext2fs_read_dir_block4(fs_, physical, block_.data(), 0, directory_) == 0;
  }

  // The entry whose range of hashes holds `hash`.
  std::optional<Step> choose(std::size_t table, ext2_dirhash_t hash) const {
    struct ext2_dx_countlimit head = {};
    if (table + sizeof head > block_.size()) {
      return std::nullopt;
    }
    std::memcpy(&head, block_.data() + table, sizeof head);
    if (head.count == 0 || table + head.count * sizeof(struct ext2_dx_entry) > block_.size()) {
      return std::nullopt;
    }
    std::vector<struct ext2_dx_entry> entries(head.count);
    std::memcpy(entries.data(), block_.data() + table, entries.size() * sizeof entries[0]);
    entries[0].hash = 0;
    const auto after = std::ranges::upper_bound(entries, hash, {}, &ext2_dx_entry::hash);
    return Step{.block = std::prev(after)->block & 0x0fffffff,
                .next_shares_hash = after != entries.end() && after->hash == (hash | 1U)};
  }

  ext2_ino_t in_leaf() const {
    for (std::size_t at = 0; at + head_bytes <= block_.size();) {
      auto* entry = reinterpret_cast<struct ext2_dir_entry*>(const_cast<char*>(block_.data() + at));
      unsigned length = 0;
      if (ext2fs_get_rec_len(fs_, entry, &length) != 0 || length < head_bytes || at + length > block_.size()) {
        return 0;
      }
      const auto name_length = static_cast<std::size_t>(ext2fs_dirent_name_len(entry));
      if (entry->inode != 0 && name_length + head_bytes <= length &&
          std::string_view(entry->name, name_length) == name_) {
        return entry->inode;
      }
      at += length;
    }
    return 0;
  }

  ext2_filsys fs_;
  ext2_ino_t directory_;
  std::string_view name_;
  std::vector<char> block_;
  bool shared_ = false;
};

bool has_tree(ext2_filsys fs, const struct ext2_inode& directory) {
  return ext2fs_has_feature_dir_index(fs->super) && (directory.i_flags & EXT2_INDEX_FL) != 0 &&
         (directory.i_flags & (EXT4_CASEFOLD_FL | EXT4_ENCRYPT_FL | EXT4_INLINE_DATA_FL)) == 0;
}

Result<ext2_ino_t> search(ext2_filsys fs, ext2_ino_t directory, std::string_view name) {
  struct ext2_inode inode = {};
  TRY(ext2_check(fs, ext2fs_read_inode(fs, directory, &inode), "cannot read a directory"));
  if (has_tree(fs, inode)) {
    if (const auto found = TRY(TreeSearch(fs, directory, name).run()); found) {
      return *found;
    }
  }
  ext2_ino_t found = 0;
  const errcode_t code = ext2fs_lookup(fs, directory, name.data(), static_cast<int>(name.size()), nullptr, &found);
  if (code != 0 && code != EXT2_ET_FILE_NOT_FOUND) {
    return ext2_fail(fs, code, "cannot read a directory");
  }
  return code == 0 ? found : 0;
}

}  // namespace

Result<ext2_dirhash_t> name_hash(ext2_filsys fs, std::string_view name, ext2_dirhash_t* minor) {
  int version = fs->super->s_def_hash_version;
  if ((fs->super->s_flags & EXT2_FLAGS_UNSIGNED_HASH) != 0 && version <= EXT2_HASH_TEA) {
    version += 3;
  }
  ext2_dirhash_t major = 0;
  TRY(ext2_check(fs,
                 ext2fs_dirhash2(version, name.data(), static_cast<int>(name.size()), nullptr, 0,
                                 fs->super->s_hash_seed, &major, minor),
                 "cannot hash a name"));
  return major;
}

Result<ext2_ino_t> find_name(ext2_filsys fs, ext2_ino_t directory, std::string_view name) {
  BlockIo::Names& names = BlockIo::of(fs->io).names();
  std::string key(name);
  key.append(reinterpret_cast<const char*>(&directory), sizeof directory);
  if (const auto known = names.find(key); known != names.end()) {
    return known->second;
  }
  const ext2_ino_t found = TRY(search(fs, directory, name));
  if (names.size() >= most_names) {
    names.clear();
  }
  names.emplace(key, found);
  return found;
}

}  // namespace domsmith::extfs
