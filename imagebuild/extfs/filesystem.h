// An ext4 file system on a BlockTarget, read and changed without a mount.
//
// Paths name things inside the image only: a leading '/' is optional, an absolute symlink starts again at the image's
// root, ".." at the root stays there, and a path that meets more than 40 links is refused (path_resolution(7)). The
// last component is followed by what reads a file and never by what writes, so that a link in the image cannot move a
// write.
//
// Every change is complete in memory when a call returns and on the target after flush() or close(). Damaged structures
// give an Error, never a crash. On-disk format: Documentation/filesystems/ext4/ of the Linux kernel.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/block_target.h"
#include "base/result.h"
#include "imagebuild/extfs/uuid.h"
#include "imagebuild/tree/entry.h"

struct struct_ext2_filsys;  // libext2fs's ext2_filsys points to it

namespace domsmith::extfs {

struct FormatOptions {
  std::string label = {};                 // at most 16 bytes
  std::optional<Uuid> uuid = {};          // absent: random
  std::optional<Uuid> hash_seed = {};     // of directory hashes; absent: random
  std::optional<std::int64_t> time = {};  // of creation, seconds since 1970; absent: now
  std::uint64_t size = 0;                 // bytes; 0: the whole target
  std::uint32_t inode_ratio = 16384;      // bytes of the file system for each inode
  bool target_reads_zero = true;          // false: the target holds old bytes and is discarded first
};

// What a new file, directory or link gets.
struct Attributes {
  std::uint32_t mode = 0644;  // permission bits, 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<Timestamp> mtime = {};             // absent: now
  std::map<std::string, std::string> xattrs = {};  // full name -> value, as the kernel shows them
};

struct NodeInfo {
  std::uint32_t inode = 0;
  EntryType type = EntryType::regular;  // never hard_link
  std::uint32_t mode = 0;               // permission bits, 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t links = 0;
  std::uint64_t size = 0;       // bytes
  std::uint64_t allocated = 0;  // bytes of blocks, extent tree and attribute block included
  Timestamp mtime;
  std::uint32_t device_major = 0, device_minor = 0;
};

struct DirectoryItem {
  std::string name;
  EntryType type = EntryType::regular;
  std::uint32_t inode = 0;
};

enum class Follow { yes, no };  // of a symlink in the last component

class FileSystem {
 public:
  // A new, empty ext4 with the features that Debian 12's mke2fs -t ext4 gives and metadata_csum_seed, so that
  // set_uuid() need not rewrite every checksum. Nothing is left to lazy initialisation. It is on the target after
  // flush().
  static Result<FileSystem> format(BlockTarget& target, const FormatOptions& options);
  // `target` must outlive the object. unsupported: not ext2/3/4, or features that the library lacks, or a journal that
  // has to be replayed first.
  static Result<FileSystem> open(BlockTarget& target, Access access);

  FileSystem(FileSystem&&) noexcept;
  FileSystem& operator=(FileSystem&&) noexcept;
  ~FileSystem();  // without close(): changes not flushed are lost

  // --- reading. not_found where the path does not exist.
  Result<NodeInfo> stat(std::string_view path, Follow follow = Follow::yes);
  Result<bool> exists(std::string_view path, Follow follow = Follow::yes);
  // The whole file; refuses one of more than max_bytes.
  Result<std::string> read_file(std::string_view path, std::uint64_t max_bytes);
  Result<std::string> read_link(std::string_view path);
  Result<std::vector<DirectoryItem>> list(std::string_view path);  // sorted by name, without "." and ".."
  Result<std::map<std::string, std::string>> xattrs(std::string_view path, Follow follow = Follow::no);

  // --- changing. The parent directory must exist (make_directories); links in its path are followed inside the image.
  // Replaces what is there (file or link, never a directory) and keeps nothing of it.
  Result<void> write_file(std::string_view path, std::string_view bytes, const Attributes& attributes = {});
  // All that are missing, with these attributes; those that exist keep theirs.
  Result<void> make_directories(std::string_view path, const Attributes& attributes = {.mode = 0755});
  // Replaces a file or link of that name.
  Result<void> symlink(std::string_view path, std::string_view target, const Attributes& attributes = {.mode = 0777});
  // A file, link or empty directory. not_found where there is none.
  Result<void> remove(std::string_view path);
  // A whole tree; absent is fine.
  Result<void> remove_tree(std::string_view path);

  // --- the file system itself. Bytes.
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::uint64_t free_bytes() const;  // all free blocks, those reserved for root included
  [[nodiscard]] std::uint64_t used_bytes() const;  // size() - free_bytes(): metadata, journal and files
  [[nodiscard]] std::uint32_t block_size() const;
  [[nodiscard]] std::uint64_t free_inodes() const;
  [[nodiscard]] Uuid uuid() const;
  [[nodiscard]] std::string label() const;
  Result<void> set_uuid(const Uuid& uuid);
  Result<void> set_label(std::string_view label);
  // The next range at or behind `offset` whose blocks are in use, for copying only those; nullopt: none.
  Result<std::optional<ByteRange>> next_used(std::uint64_t offset);

  Result<void> flush();  // everything durable on the target
  Result<void> close();  // flush(), then the object only may be destroyed or assigned to

 private:
  friend class TreeWriter;
  struct Closer {
    void operator()(struct_ext2_filsys* fs) const noexcept;
  };
  using Handle = std::unique_ptr<struct_ext2_filsys, Closer>;
  FileSystem(Handle fs, BlockTarget& target);

  Handle fs_;
  BlockTarget* target_ = nullptr;
  std::uint32_t inode_ratio_ = 0;  // of format(); 0 after open()
};

}  // namespace domsmith::extfs
