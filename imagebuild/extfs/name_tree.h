// The tree that a TreeWriter holds in memory until it is written: what is named where, and what each inode will be.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imagebuild/extfs/extents.h"
#include "imagebuild/tree/entry.h"

namespace domsmith::extfs {

using NodeId = std::uint32_t;

struct Directory {
  NodeId parent = 0;
  std::uint32_t subdirectories = 0;
  bool indexed = false;  // its blocks are a hash tree; known when they are written
  std::map<std::string, NodeId, std::less<>> names;
};

struct Node {
  EntryType type = EntryType::regular;  // never hard_link
  std::uint16_t mode = 0;               // permission bits
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t links = 0;  // names; 0: the node is free
  Timestamp mtime;
  std::uint64_t size = 0;       // regular files
  std::vector<Extent> extents;  // of the content; for others than files known when it is written
  std::string target;           // symlinks
  std::uint32_t device_major = 0, device_minor = 0;
  std::unique_ptr<Directory> directory;
};

// A place for a name: the directory and the last component.
struct Place {
  NodeId directory = 0;
  std::string_view name;  // empty: the root itself
};

class NameTree {
 public:
  static constexpr NodeId root = 0;
  static constexpr NodeId lost_found = 1;
  static constexpr std::uint32_t most_links = 65000;  // EXT4_LINK_MAX

  explicit NameTree(Timestamp made);

  // Where `path` belongs. Links among its parents are followed inside the tree. Missing parents are made where `create`
  // says so, else not_found.
  Result<Place> place_of(std::string_view path, bool create);
  [[nodiscard]] std::optional<NodeId> find(const Place& place) const;

  NodeId add(const Place& place, EntryType type);  // the name must be free
  Result<void> link(const Place& place, NodeId node);
  // Takes the name away. True: it was the last one, the node is still readable but free to be used by the next add().
  bool unlink(const Place& place);

  [[nodiscard]] Node& node(NodeId id) { return nodes_[id]; }
  [[nodiscard]] NodeId node_count() const { return static_cast<NodeId>(nodes_.size()); }  // free ones included

 private:
  struct Walk;
  Result<NodeId> walk(std::string_view path, bool create);
  Result<void> step(Walk& walk, std::string_view component, bool create) const;
  NodeId fresh();

  std::vector<Node> nodes_;
  std::vector<NodeId> free_;
  Timestamp made_;
  std::string last_path_;  // the directory that place_of() found last; paths come in groups
  NodeId last_directory_ = root;
};

}  // namespace domsmith::extfs
