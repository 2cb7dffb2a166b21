#include "imagebuild/sources/layers.h"

namespace domsmith::sources {
namespace {

constexpr std::string_view mark = ".wh.";
constexpr std::string_view opaque = ".wh..wh..opq";

}  // namespace

Result<void> LayerSink::entry(const Entry& entry) {
  const std::size_t slash = entry.path.rfind('/');
  const std::string name = entry.path.substr(slash == std::string::npos ? 0 : slash + 1);
  const std::string folder = slash == std::string::npos ? std::string() : entry.path.substr(0, slash);
  skipping_ = name.starts_with(mark);
  if (name == opaque) {
    return folder_->empty(folder, mine_);
  }
  if (name.starts_with(".wh..wh.")) {  // the storage driver's own, no part of the tree
    return {};
  }
  if (skipping_) {
    const std::string hidden = name.substr(mark.size());
    if (hidden.empty() || hidden == "." || hidden == "..") {
      return fail(ErrorCode::bad_input, "a whiteout of nothing in a layer");
    }
    return folder_->remove(folder.empty() ? hidden : folder + "/" + hidden, mine_);
  }
  if (entry.type != EntryType::directory && !entry.path.empty()) {
    TRY(folder_->remove(entry.path, {}));
  }
  mine_.insert(entry.path);
  return folder_->entry(entry);
}

Result<void> LayerSink::data(std::uint64_t offset, std::span<const std::byte> bytes) {
  return skipping_ ? Result<void>() : folder_->data(offset, bytes);
}

}  // namespace domsmith::sources
