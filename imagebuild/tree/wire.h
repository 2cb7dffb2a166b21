// A tree on its way from one process to another: what a TreeSink is told, as bytes in a pipe. Both ends are this
// program, so the form is the machine's own; the reader still takes nothing on trust, for what is behind the other end
// has run other people's programs.
//
//   message = kind length payload      kind: one byte, length: 32 bits
//   'E'  an entry                      'D'  offset (64 bits), then the bytes
//   'F'  the tree is complete: a stream that ends without it has failed
#pragma once

#include <vector>

#include "base/result.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

class WireWriter final : public TreeSink {
 public:
  explicit WireWriter(int fd) : fd_(fd) {}
  Result<void> entry(const Entry& entry) override;
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Result<void> finish() override;

 private:
  Result<void> put(char kind, std::span<const std::byte> head, std::span<const std::byte> bytes);
  Result<void> flush();

  int fd_;
  std::vector<std::byte> buffer_ = {};
};

// To the 'F', or bad_input. The sink's finish() is left to the caller.
Result<void> read_wire(int fd, TreeSink& sink);

}  // namespace domsmith
