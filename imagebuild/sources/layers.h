// One layer of an OCI image on top of those below it (image-spec, layer.md): entries replace what is there, and
// "whiteouts" remove it: ".wh.NAME" the NAME beside it, ".wh..wh..opq" all that lower layers put into its folder.
#pragma once

#include <set>
#include <string>

#include "imagebuild/sources/tree_folder.h"

namespace domsmith::sources {

class LayerSink final : public TreeSink {
 public:
  explicit LayerSink(TreeFolder& folder) : folder_(&folder) {}
  Result<void> entry(const Entry& entry) override;
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Result<void> finish() override { return folder_->finish(); }

 private:
  TreeFolder* folder_;
  std::set<std::string> mine_;  // this layer's own paths: no whiteout of its own removes those
  bool skipping_ = false;
};

}  // namespace domsmith::sources
