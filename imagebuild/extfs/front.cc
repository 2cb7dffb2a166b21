#include "imagebuild/extfs/front.h"

#include <algorithm>

namespace domsmith::extfs {
namespace {

constexpr std::uint64_t smallest_fs_blocks = 32768;  // 128 MiB; smaller ones have no room to give away

}  // namespace

const std::vector<std::string>& identity_paths() {
  static const std::vector<std::string> paths = {
      "etc/hostname",
      "etc/hosts",
      "etc/machine-id",
      "etc/resolv.conf",
      "etc/ssh/ssh_host_ed25519_key",
      "etc/ssh/ssh_host_ed25519_key.pub",
      "etc/ssh/ssh_host_ecdsa_key",
      "etc/ssh/ssh_host_ecdsa_key.pub",
      "etc/ssh/ssh_host_rsa_key",
      "etc/ssh/ssh_host_rsa_key.pub",
      "etc/network/interfaces",
      "etc/network/interfaces.d/clone",
      "etc/systemd/network/clone",
      "etc/systemd/system/multi-user.target.wants/clone",
      "etc/udev/rules.d/clone",
      "etc/netplan/clone",
      "root/.ssh/authorized_keys",
      "var/lib/dbus/machine-id",
      "var/lib/systemd/random-seed",
  };
  return paths;
}

std::vector<NodeId> nodes_of(NameTree& names, std::span<const std::string> paths) {
  std::vector<NodeId> nodes;
  for (const std::string& path : paths) {
    NodeId at = NameTree::root;
    for (std::size_t from = 0; from <= path.size();) {
      const std::size_t end = std::min(path.find('/', from), path.size());
      const Directory* directory = names.node(at).directory.get();
      const auto found = directory == nullptr
                             ? std::nullopt
                             : names.find({.directory = at, .name = std::string_view(path).substr(from, end - from)});
      if (!found) {
        break;
      }
      at = *found;
      if (std::ranges::find(nodes, at) == nodes.end()) {
        nodes.push_back(at);
      }
      from = end + 1;
    }
  }
  return nodes;
}

namespace {

// The directory that the path, or what there is of it, ends in.
NodeId deepest_directory(NameTree& names, const std::string& path) {
  NodeId deepest = NameTree::root;
  for (const NodeId id : nodes_of(names, std::span(&path, 1))) {
    deepest = names.node(id).directory ? id : deepest;
  }
  return deepest;
}

bool has_directory(NameTree& names, const std::string& path) {
  const auto nodes = nodes_of(names, std::span(&path, 1));
  return std::ranges::count(path, '/') + 1 == std::ssize(nodes) && names.node(nodes.back()).directory;
}

}  // namespace

FrontDirectories front_directories(NameTree& names) {
  // An image has one network system as a rule, and the folders of others too; in the order in which one is chosen.
  static const std::vector<std::string> networks = {"etc/netplan", "etc/network/interfaces.d", "etc/systemd/network"};
  static const std::vector<std::string> always = {"etc", "etc/ssh", "root/.ssh", "var/lib/systemd"};
  FrontDirectories found;
  const auto add = [&](std::vector<NodeId>& to, NodeId id) {
    if (std::ranges::find(found.written, id) == found.written.end() &&
        std::ranges::find(found.seldom, id) == found.seldom.end()) {
      to.push_back(id);
    }
  };
  for (const std::string& path : always) {
    if (const NodeId id = deepest_directory(names, path); id != NameTree::root) {
      add(found.written, id);
    }
  }
  const auto network = std::ranges::find_if(networks, [&](const auto& path) { return has_directory(names, path); });
  if (network != networks.end()) {
    add(found.written, deepest_directory(names, *network));
  }
  for (const std::string& path : identity_paths()) {
    add(found.seldom, deepest_directory(names, path));
  }
  return found;
}

InodeNumbers::InodeNumbers(NodeId count, std::span<const NodeId> front, std::uint32_t left_free) : numbers_(count) {
  numbers_[NameTree::root] = EXT2_ROOT_INO;
  numbers_[NameTree::lost_found] = EXT2_GOOD_OLD_FIRST_INO;
  order_ = {NameTree::root, NameTree::lost_found};
  order_.reserve(count);
  ext2_ino_t next = EXT2_GOOD_OLD_FIRST_INO + 1;
  for (const NodeId id : front) {
    if (numbers_[id] == 0) {
      numbers_[id] = next++;
      order_.push_back(id);
    }
  }
  next += left_free;
  for (NodeId id = 0; id < count; ++id) {
    if (numbers_[id] == 0) {
      numbers_[id] = next++;
      order_.push_back(id);
    }
  }
  highest_ = numbers_[order_.back()];
}

BlockRun reserve_front(ext2_filsys fs, BlockCursor& cursor) {
  if (ext2fs_blocks_count(fs->super) < smallest_fs_blocks) {
    return {};
  }
  std::vector<BlockRun> short_ones;
  BlockRun all = cursor.take(front_room);
  for (; all.count < front_room; all = cursor.take(front_room)) {
    short_ones.push_back(all);
  }
  const std::uint64_t start = (all.first + front_alignment - 1) / front_alignment * front_alignment;
  cursor.put_back({.first = start + front_blocks, .count = all.first + all.count - start - front_blocks});
  cursor.put_back({.first = all.first, .count = start - all.first});
  for (const BlockRun& each : short_ones) {
    cursor.put_back(each);
  }
  return {.first = start, .count = front_blocks};
}

}  // namespace domsmith::extfs
