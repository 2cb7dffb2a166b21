// Where a tree comes from another process and goes to a sink of ours, and the end is bad: whose error it was.
#pragma once

#include "base/result.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

// Gives all but finish() to another sink, and remembers whether it was that one that failed: then the process that made
// the tree only lost its reader, and what it says of that (EPIPE) is no cause.
class WatchedSink final : public TreeSink {
 public:
  explicit WatchedSink(TreeSink& sink) : sink_(&sink) {}
  Result<void> entry(const Entry& entry) override { return seen(sink_->entry(entry)); }
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override {
    return seen(sink_->data(offset, bytes));
  }
  Result<void> finish() override { return {}; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  Result<void> seen(Result<void> result) {
    failed_ = failed_ || !result;
    return result;
  }
  TreeSink* sink_;
  bool failed_ = false;
};

}  // namespace domsmith
