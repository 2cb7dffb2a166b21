// What a file system tree is made of, on its way from an archive to a file system: one entry after the other, each with
// its data behind it. Sources (archive/, boot/) call a TreeSink; extfs/ is the one that writes ext4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace domsmith {

enum class EntryType { regular, directory, symlink, hard_link, character_device, block_device, fifo, socket };

struct Timestamp {
  std::int64_t seconds = 0;  // since 1970-01-01T00:00:00Z
  std::uint32_t nanoseconds = 0;
};

// A range of a regular file that holds data; what lies between such ranges is a hole.
struct DataRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct Entry {
  std::string path;  // relative, normalised: no leading '/', no '.', no '..', no empty part; "" is the root
  EntryType type = EntryType::regular;
  std::uint32_t mode = 0;  // permission bits, 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  Timestamp mtime;
  std::uint64_t size = 0;  // regular files
  std::string target;      // symlink: the text of the link; hard_link: the normalised path of an earlier entry
  std::uint32_t device_major = 0, device_minor = 0;
  std::map<std::string, std::string>
      xattrs;  // full name ("security.capability") -> value bytes, as the kernel shows them
};

// Receives a tree. After an entry of type regular come its data() calls in rising offset order (holes left out), then
// the next entry() or finish(). An Error ends the tree; a sink may keep counting after a no_space (see extfs/writer.h).
class TreeSink {
 public:
  virtual ~TreeSink() = default;
  virtual Result<void> entry(const Entry& entry) = 0;
  virtual Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual Result<void> finish() = 0;
};

}  // namespace domsmith
