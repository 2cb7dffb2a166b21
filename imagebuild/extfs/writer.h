// Populates a fresh file system with a tree, at the speed of the target: blocks are taken by a cursor, data goes
// straight to the target in large writes, and directories, inodes and bitmaps are kept in memory and written once, by
// finish().
//
// As tar does: of two entries with one path the later wins, a directory that is given again updates its attributes, and
// parents that are missing are made (mode 0755, owner root). A directory that is not empty and is to become something
// else is an error.
//
// A full file system does not stop the tree: entries go on being counted, and finish() fails with ErrorCode::no_space,
// naming a size that is enough. What the target then holds is of no use.
#pragma once

#include <cstdint>
#include <memory>

#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/tree/entry.h"

namespace domsmith::extfs {

struct WriterStats {
  std::uint64_t files = 0;  // regular files
  std::uint64_t directories = 0;
  std::uint64_t symlinks = 0;
  std::uint64_t hard_links = 0;     // names beyond the first of a file
  std::uint64_t specials = 0;       // device nodes, fifos, sockets
  std::uint64_t data_bytes = 0;     // of regular files, holes not counted
  std::uint64_t bytes_written = 0;  // to the target, metadata included; known after finish()
  // Bytes; known after a finish() that failed with no_space: a rounder size that would do, and the least.
  std::uint64_t size_needed = 0, size_least = 0;
};

class TreeWriter final : public TreeSink {
 public:
  // `fs` comes from FileSystem::format() and nothing was written to it yet. It must outlive the writer, and be used
  // again only after finish().
  explicit TreeWriter(FileSystem& fs);
  ~TreeWriter() override;
  TreeWriter(const TreeWriter&) = delete;
  TreeWriter& operator=(const TreeWriter&) = delete;

  // bad_input for what ext4 cannot hold: a name of more than 255 bytes, attributes larger than a block, a hard link to
  // what is not there, a file behind something that is no directory.
  Result<void> entry(const Entry& entry) override;
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override;
  // Writes directories, inodes and bitmaps to the target; they are durable after the file system's flush() or close().
  // The one time; then the writer is spent.
  Result<void> finish() override;

  [[nodiscard]] const WriterStats& stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace domsmith::extfs
