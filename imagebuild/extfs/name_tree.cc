#include "imagebuild/extfs/name_tree.h"

#include <fmt/format.h>

namespace domsmith::extfs {
namespace {

constexpr unsigned most_links_followed = 40;  // as path_resolution(7)

// The first component of `rest`, which loses it and its slash.
std::string_view take_component(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view component = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return component;
}

}  // namespace

NameTree::NameTree(Timestamp made) : made_(made) {
  nodes_.resize(2);
  for (NodeId id : {root, lost_found}) {
    Node& made_node = nodes_[id];
    made_node.type = EntryType::directory;
    made_node.mode = id == root ? 0755 : 0700;
    made_node.links = 1;
    made_node.mtime = made;
    made_node.directory = std::make_unique<Directory>();
  }
  nodes_[root].directory->names.emplace("lost+found", lost_found);
  nodes_[root].directory->subdirectories = 1;
}

NodeId NameTree::fresh() {
  if (!free_.empty()) {
    const NodeId id = free_.back();
    free_.pop_back();
    nodes_[id] = Node();
    return id;
  }
  nodes_.emplace_back();
  return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId NameTree::add(const Place& place, EntryType type) {
  const NodeId id = fresh();
  Node& made = nodes_[id];
  made.type = type;
  made.links = 1;
  Directory& directory = *nodes_[place.directory].directory;
  if (type == EntryType::directory) {
    made.mode = 0755;
    made.mtime = made_;
    made.directory = std::make_unique<Directory>();
    made.directory->parent = place.directory;
    ++directory.subdirectories;
  }
  directory.names.emplace(place.name, id);
  return id;
}

Result<void> NameTree::link(const Place& place, NodeId id) {
  if (nodes_[id].links >= most_links) {
    return fail(ErrorCode::bad_input,
                fmt::format("a file has more than {} hard links, which is all ext4 can count", most_links));
  }
  ++nodes_[id].links;
  nodes_[place.directory].directory->names.emplace(place.name, id);
  return {};
}

bool NameTree::unlink(const Place& place) {
  Directory& directory = *nodes_[place.directory].directory;
  const auto found = directory.names.find(place.name);
  const NodeId id = found->second;
  directory.names.erase(found);
  last_path_.clear();
  last_directory_ = root;
  Node& gone = nodes_[id];
  if (gone.directory) {
    --directory.subdirectories;
  }
  if (--gone.links > 0) {
    return false;
  }
  free_.push_back(id);
  return true;
}

std::optional<NodeId> NameTree::find(const Place& place) const {
  if (place.name.empty()) {
    return place.directory;
  }
  const auto& names = nodes_[place.directory].directory->names;
  const auto found = names.find(place.name);
  return found == names.end() ? std::nullopt : std::optional(found->second);
}

struct NameTree::Walk {
  NodeId at = root;
  std::string text;       // of links that were followed, with what is left behind them
  std::string_view rest;  // of the path, or of `text`
  unsigned links = 0;
};

// Goes on to an existing `component`. not_found where there is none.
Result<void> NameTree::step(Walk& walk, std::string_view component, bool create) const {
  const Directory& directory = *nodes_[walk.at].directory;
  const auto found = directory.names.find(component);
  if (found == directory.names.end()) {
    return create ? Result<void>() : fail(ErrorCode::not_found, fmt::format("'{}' does not exist", component));
  }
  const Node& next = nodes_[found->second];
  if (next.directory) {
    walk.at = found->second;
    return {};
  }
  if (next.type != EntryType::symlink) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is no directory", component));
  }
  if (++walk.links > most_links_followed) {
    return fail(ErrorCode::bad_input,
                fmt::format("'{}' leads through more than {} links", component, most_links_followed));
  }
  if (next.target.starts_with('/')) {
    walk.at = root;
  }
  std::string text = next.target + "/" + std::string(walk.rest);
  walk.text = std::move(text);
  walk.rest = walk.text;
  return {};
}

Result<NodeId> NameTree::walk(std::string_view path, bool create) {
  Walk walk{.at = root, .text = {}, .rest = path, .links = 0};
  while (!walk.rest.empty()) {
    const std::string_view component = take_component(walk.rest);
    if (component.empty() || component == ".") {
      continue;
    }
    if (component == "..") {
      walk.at = nodes_[walk.at].directory->parent;
      continue;
    }
    if (create && !nodes_[walk.at].directory->names.contains(component)) {
      if (component.size() > 255) {
        return fail(ErrorCode::bad_input,
                    fmt::format("the name of {} bytes is too long: ext4 takes 255", component.size()));
      }
      walk.at = add({.directory = walk.at, .name = component}, EntryType::directory);
      continue;
    }
    TRY(step(walk, component, create));
  }
  return walk.at;
}

Result<Place> NameTree::place_of(std::string_view path, bool create) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return Place{.directory = root, .name = path};
  }
  const std::string_view parent = path.substr(0, slash);
  if (parent != last_path_) {
    const NodeId found = TRY(walk(parent, create));
    last_path_ = parent;
    last_directory_ = found;
  }
  return Place{.directory = last_directory_, .name = path.substr(slash + 1)};
}

}  // namespace domsmith::extfs
