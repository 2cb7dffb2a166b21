// The tree of a build while it grows: a plain folder, or layers of the cache with one on top that is being made
// (overlayfs, Documentation/filesystems/overlayfs.rst).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "imagebuild/engine/layers.h"

namespace domsmith::engine {

class TreeStack {
 public:
  // `folder`: the operation's own. `layers` empty: plain.
  TreeStack(std::filesystem::path folder, std::filesystem::path layers, bool user)
      : folder_(std::move(folder)), layers_(std::move(layers)), user_(user) {}

  void have(const std::string& key) { below_.push_back(key); }  // a layer of the cache, on top of those before
  // A new one on top, that root() shows with all that is below it.
  Result<void> begin(const std::string& name);
  // The new one is whole: it becomes the layer `key`.
  Result<void> keep(const std::string& key, const std::string& what);
  [[nodiscard]] std::string root() const { return root_.string(); }

 private:
  Result<void> mount_layers();
  [[nodiscard]] bool plain() const { return layers_.empty(); }

  std::filesystem::path folder_, layers_;
  bool user_;
  std::vector<std::string> below_ = {};
  std::filesystem::path made_ = {};  // of the layer on top
  std::filesystem::path root_ = {};
  bool mounted_ = false;
};

}  // namespace domsmith::engine
