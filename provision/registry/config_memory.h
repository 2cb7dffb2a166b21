// What each domain config held when it was read last, so that a folder of thousands costs one stat(2) a file.
//
// A file is taken for unchanged while its device, inode, size, mtime and ctime are (inode(7)); nobody can set a ctime.
// The kernel takes these times from a clock that ticks every few ms: a change in the tick of the one before leaves the
// same times. So only what had rested for longer when it was read is kept, as git does it with its index (racy-git).
//
// The file is a hint and nothing else: written without a flush, with a checksum, by its owner alone. One that is torn,
// is another's, or was written by another version is as if there were none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct stat;

namespace domsmith {

struct ConfigStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;     // bytes
  std::int64_t modified = 0;  // ns since the epoch
  std::int64_t changed = 0;   // likewise
  bool operator==(const ConfigStamp&) const = default;
  static ConfigStamp of(const struct stat& info);
};

class ConfigMemory {
 public:
  struct Holdings {
    std::vector<std::string> names;  // of domains
    std::vector<std::string> macs;   // canonical
  };

  // Whatever is wrong with the file: it remembers nothing.
  static ConfigMemory load(const std::filesystem::path& file);

  // What the file of that key held, where it is unchanged; it is kept for the next save(). false: it must be read.
  bool recall(std::string_view key, const ConfigStamp& stamp, Holdings& into);
  // It was read after `stamp` was taken, which was not before `now` (ns since the epoch).
  void keep(std::string_view key, const ConfigStamp& stamp, const Holdings& holdings, std::int64_t now);
  // What is known of files that nobody asked for stays as it is. Without this it is forgotten: they are gone.
  void keep_rest();
  // What was recalled and kept, where that is worth a new file. Its errors are nobody's concern.
  void save() const;
  static constexpr std::size_t worth_a_file = 32;  // changes; fewer are, too, where all in all there are few

 private:
  explicit ConfigMemory(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
  std::unique_ptr<const std::string> loaded_;
  std::unordered_map<std::string_view, std::string_view> records_;  // by key, both in loaded_; not yet asked for
  std::string next_;
  std::size_t recalled_ = 0;
  std::size_t fresh_ = 0;
};

}  // namespace domsmith
