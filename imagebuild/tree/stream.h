// A tree as bytes, from one process of ours to another: what a worker (base/worker.h) read out of somebody's archive,
// or what it made in a folder that only it can enter.
//
//     tree  = "domsmith-tree 1\n" node* 'Z'
//     node  = 'E' type:u8 mode:u32 uid:u32 gid:u32 seconds:i64 nanoseconds:u32 size:u64 major:u32 minor:u32
//             path:bytes target:bytes count:u32 (name:bytes value:bytes)*
//           | 'D' offset:u64 data:bytes
//     bytes = length:u32 byte*                              numbers little-endian
//
// The writer may have been taken over by what it read: the reader believes nothing. Paths are relative and normalised,
// data lies inside of its file and comes in rising order, and every length has a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "base/worker.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

class StreamSink final : public TreeSink {
 public:
  explicit StreamSink(int fd);
  Result<void> entry(const Entry& entry) override;
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Result<void> finish() override;  // the end mark, and what is still held back

 private:
  Result<void> flush();
  int fd_;
  std::string held_;
};

struct StreamStats {
  std::uint64_t entries = 0;
  std::uint64_t data_bytes = 0;
};

// Reads up to the end mark. The sink's finish() is left to the caller. bad_input for what is no such stream, or ends
// early; the sink's own errors as they are. `stage` names the progress.
Result<StreamStats> read_stream(int fd, TreeSink& sink, Progress& progress, std::string_view stage);

// read_stream() from a worker that writes it, and the worker's end. Whose error it is that counts: the sink's own,
// where it refused; otherwise the worker's, who knows why the stream ended early.
Result<StreamStats> receive_tree(Worker& worker, TreeSink& sink, Progress& progress, std::string_view stage);

}  // namespace domsmith
