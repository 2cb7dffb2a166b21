// The cache of layers: a folder for each, named by the SHA-256 of all that decides what is in it. A layer holds the
// files that a step of a build added to the layers below it, in overlayfs's form (a "tree" on top of others).
//
//   DIR/KEY/tree        the files, with their owners and modes
//   DIR/KEY/layer.json  what it holds, and under which boot of the machine it was written
//   DIR/KEY/synced      it is on the disk: a layer without it counts only until the machine restarts. A build does not
//                       wait for that; whoever uses the layer some minutes later makes sure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace domsmith::engine {

struct LayerInfo {
  std::string key;
  std::string what;            // for people: "nginx-light of bookworm"
  std::uint64_t bytes = 0;     // of its files' blocks
  std::int64_t last_used = 0;  // seconds since 1970
  bool usable = false;         // whole, and surely so
};

class LayerCache {
 public:
  explicit LayerCache(std::filesystem::path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  // A whole layer; it counts as used now.
  [[nodiscard]] bool use(const std::string& key) const;
  // Gives a finished folder ("tree" in it) its name. Where another process was faster, ours is left where it is.
  [[nodiscard]] Result<void> publish(const std::filesystem::path& made, const std::string& key,
                                     const std::string& what) const;
  // Everything written so far is on the disk when it returns; these layers outlive the machine.
  [[nodiscard]] Result<void> sync(const std::vector<std::string>& keys) const;

  [[nodiscard]] Result<std::vector<LayerInfo>> list() const;  // by last use, the newest first
  // Removes one; `by_user`: an ordinary user's, whose files may belong to ids of theirs.
  [[nodiscard]] Result<void> remove(const std::string& key) const;

 private:
  std::filesystem::path folder_;
};

// A tree that a build made, with files of all owners: rm -rf, as root of a user namespace where this user is none.
Result<void> remove_tree(const std::filesystem::path& tree);

}  // namespace domsmith::engine
