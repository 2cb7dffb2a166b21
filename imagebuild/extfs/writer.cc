#include "imagebuild/extfs/writer.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "base/text.h"
#include "imagebuild/extfs/block_io.h"
#include "imagebuild/extfs/directory.h"
#include "imagebuild/extfs/front.h"
#include "imagebuild/extfs/inode_tables.h"
#include "imagebuild/extfs/needed_size.h"
#include "imagebuild/extfs/tree_plan.h"

namespace domsmith::extfs {
namespace {

constexpr std::size_t lost_found_blocks = 4;
constexpr std::uint32_t inodes_for_clones = 24;
constexpr std::uint32_t most_counted_subdirectories = 64998;  // beyond, a directory's link count is 1 (dir_nlink)

// The content of nodes that are no regular files: what finish() writes behind the files' data.
class Finisher {
 public:
  Finisher(ext2_filsys fs, BlockTarget& target, TreePlan& plan)
      : fs_(fs),
        plan_(&plan),
        front_(nodes_of(plan.names, identity_paths())),
        numbers_(plan.names.node_count(), front_, plan.front.count > 0 ? inodes_for_clones : 0),
        tables_(fs, target) {}

  Result<void> write() {
    TRY(write_front());
    TRY(plan_->attributes.write(plan_->cursor, plan_->stream));
    for (NodeId id = 0; id < plan_->names.node_count(); ++id) {
      const Node& node = plan_->names.node(id);
      if (node.links > 0 && node.directory && node.extents.empty()) {
        TRY(write_directory(id, no_reserve_));
      }
    }
    for (const NodeId id : numbers_.in_order()) {
      if (plan_->names.node(id).links > 0) {
        TRY(write_inode(id));
      }
    }
    for (const BlockRun& run : left_) {
      plan_->cursor.give_back(run);
    }
    TRY(plan_->stream.flush());
    return tables_.finish();
  }

  [[nodiscard]] ext2_ino_t highest_inode() const { return numbers_.highest(); }
  [[nodiscard]] std::uint64_t table_bytes() const { return tables_.bytes_written(); }

 private:
  // The first chunk of the front is for the directories that clones write, and then for clones: theirs are the first
  // free blocks. What they seldom write lies behind it.
  Result<void> write_front() {
    const FrontDirectories directories = front_directories(plan_->names);
    BlockRun first{.first = plan_->front.first, .count = std::min(plan_->front.count, front_alignment)};
    BlockRun rest{.first = first.first + first.count, .count = plan_->front.count - first.count};
    for (const NodeId id : directories.written) {
      TRY(write_directory(id, first.count > 0 ? first : rest));
    }
    for (const NodeId id : directories.seldom) {
      TRY(write_directory(id, rest));
    }
    left_ = {rest, first};
    return {};
  }

  // Into blocks of their own, out of `reserved` while it lasts; they become the node's extents.
  Result<void> place(Node& node, std::span<const std::byte> bytes, BlockRun& reserved) {
    if (const std::uint64_t blocks = blocks_of(bytes.size(), fs_->blocksize); blocks <= reserved.count) {
      append_extent(node.extents, 0, {.first = reserved.first, .count = blocks});
      TRY(plan_->stream.write(reserved.first * fs_->blocksize, bytes));
      reserved = {.first = reserved.first + blocks, .count = reserved.count - blocks};
      return {};
    }
    std::uint64_t at = 0;
    while (at < bytes.size()) {
      const BlockRun run = plan_->cursor.take(blocks_of(bytes.size() - at, fs_->blocksize));
      append_extent(node.extents, static_cast<std::uint32_t>(at / fs_->blocksize), run);
      const std::size_t length = std::min<std::uint64_t>(bytes.size() - at, run.count * fs_->blocksize);
      TRY(plan_->stream.write(run.first * fs_->blocksize, bytes.subspan(at, length)));
      at += length;
    }
    return {};
  }

  Result<void> write_directory(NodeId id, BlockRun& reserved) {
    Node& node = plan_->names.node(id);
    std::vector<NamedInode> entries;
    entries.reserve(node.directory->names.size());
    for (const auto& [name, child] : node.directory->names) {
      entries.push_back(
          {.name = name, .inode = numbers_.of(child), .type = directory_type(plan_->names.node(child).type)});
    }
    const auto blocks =
        TRY(build_directory(fs_, {.self = numbers_.of(id), .parent = numbers_.of(node.directory->parent)}, entries,
                            id == NameTree::lost_found ? lost_found_blocks : 1));
    node.size = blocks.bytes.size();
    node.directory->indexed = blocks.indexed;
    return place(node, blocks.bytes, reserved);
  }

  Result<void> write_inode(NodeId id) {
    Node& node = plan_->names.node(id);
    InodeFields fields{.type = node.type,
                       .mode = node.mode,
                       .uid = node.uid,
                       .gid = node.gid,
                       .links = node.links,
                       .size = node.size,
                       .blocks = 0,
                       .attribute_block = plan_->attributes.block_of(id),
                       .mtime = node.mtime,
                       .made = fs_->now,
                       .flags = 0,
                       .content = {},
                       .attributes = plan_->attributes.in_inode(id)};
    if (node.directory) {
      const std::uint32_t below = node.directory->subdirectories;
      fields.links = below > most_counted_subdirectories ? 1 : below + 2;
      fields.flags |= node.directory->indexed ? EXT2_INDEX_FL : 0;
    }
    TRY(fill_content(id, node, fields));
    for (const Extent& each : node.extents) {
      fields.blocks += each.length;
    }
    fields.blocks += fields.attribute_block != 0 ? 1 : 0;
    return tables_.put(numbers_.of(id), node.type, encode_inode(fs_, numbers_.of(id), fields));
  }

  Result<void> fill_content(NodeId id, Node& node, InodeFields& fields) {
    switch (node.type) {
      case EntryType::symlink:
        fields.size = node.target.size();
        if (node.target.size() < fields.content.size()) {
          std::memcpy(fields.content.data(), node.target.data(), node.target.size());
          return {};
        }
        TRY(place(node, std::as_bytes(std::span(node.target)), no_reserve_));
        break;
      case EntryType::character_device:
      case EntryType::block_device:
        fields.content = device_content(node.device_major, node.device_minor);
        return {};
      case EntryType::regular:
      case EntryType::directory:
        break;
      default:
        return {};
    }
    const auto tree = TRY(write_extent_tree(fs_, numbers_.of(id), node.extents, plan_->cursor, plan_->stream));
    fields.content = tree.root;
    fields.flags |= EXT4_EXTENTS_FL;
    fields.blocks += tree.blocks.size();
    return {};
  }

  ext2_filsys fs_;
  TreePlan* plan_;
  std::vector<NodeId> front_;
  InodeNumbers numbers_;
  InodeTables tables_;
  std::vector<BlockRun> left_;  // of the front
  BlockRun no_reserve_;
};

// What is written past libext2fs must not be hidden by what it has read before.
Result<void> forget_cached(ext2_filsys fs) {
  TRY(ext2_check(fs, ext2fs_flush_icache(fs), "cannot write the inodes"));
  return BlockIo::of(fs->io).drop();
}

// The root and lost+found that format() made are written anew.
Result<void> clear_first_directories(ext2_filsys fs) {
  for (ext2_ino_t inode : {ext2_ino_t{EXT2_ROOT_INO}, ext2_ino_t{EXT2_GOOD_OLD_FIRST_INO}}) {
    TRY(ext2_check(fs, ext2fs_punch(fs, inode, nullptr, nullptr, 0, ~0ULL), "cannot start the tree"));
  }
  return forget_cached(fs);
}

Result<void> check_fresh(ext2_filsys fs, std::uint32_t inode_ratio) {
  if (inode_ratio == 0 || fs->super->s_free_inodes_count + EXT2_GOOD_OLD_FIRST_INO != fs->super->s_inodes_count) {
    return fail(ErrorCode::failed, "a tree can only be written to a file system that was just formatted");
  }
  return clear_first_directories(fs);
}

}  // namespace

struct TreeWriter::State {
  State(ext2_filsys handle, BlockTarget& block_target, std::uint32_t ratio)
      : fs(handle),
        target(&block_target),
        inode_ratio(ratio),
        begun(check_fresh(handle, ratio)),
        plan(handle, block_target) {}

  Result<void> ready() const {
    if (finished) {
      return fail(ErrorCode::failed, "the tree is finished already");
    }
    return begun;
  }
  void count();
  Result<void> too_small(ext2_ino_t highest_inode);

  ext2_filsys fs;
  BlockTarget* target;
  std::uint32_t inode_ratio;
  Result<void> begun;
  TreePlan plan;
  WriterStats stats;
  bool finished = false;
};

TreeWriter::TreeWriter(FileSystem& fs) : state_(std::make_unique<State>(fs.fs_.get(), *fs.target_, fs.inode_ratio_)) {}
TreeWriter::~TreeWriter() = default;

const WriterStats& TreeWriter::stats() const { return state_->stats; }

Result<void> TreeWriter::entry(const Entry& entry) {
  TRY(state_->ready());
  TRY_AS(state_->plan.entry(entry), fmt::format("cannot put '/{}' into the image", entry.path));
  return {};
}

Result<void> TreeWriter::data(std::uint64_t offset, std::span<const std::byte> bytes) {
  TRY(state_->ready());
  return state_->plan.data(offset, bytes);
}

void TreeWriter::State::count() {
  for (NodeId id = 0; id < plan.names.node_count(); ++id) {
    const Node& node = plan.names.node(id);
    if (node.links == 0) {
      continue;
    }
    stats.hard_links += node.links - 1;
    switch (node.type) {
      case EntryType::regular:
        ++stats.files;
        break;
      case EntryType::directory:
        ++stats.directories;
        break;
      case EntryType::symlink:
        ++stats.symlinks;
        break;
      default:
        ++stats.specials;
    }
  }
  stats.data_bytes = plan.data_bytes;
}

Result<void> TreeWriter::State::too_small(ext2_ino_t highest_inode) {
  // A file system that was too small to spare a front for clones becomes one that has it.
  const bool no_front = plan.front.count == 0;
  const Need need{.blocks = plan.cursor.most_in_use() + (no_front ? front_room : 0),
                  .inodes = highest_inode + (no_front ? inodes_for_clones : 0),
                  .inode_ratio = inode_ratio};
  const NeededSize size = TRY(needed_size(need));
  stats.size_needed = size.rounded;
  stats.size_least = size.least;
  const std::uint64_t now = ext2fs_blocks_count(fs->super) * fs->blocksize;
  return fail(ErrorCode::no_space,
              fmt::format("the file system of {} is too small: {} would do", size_text(now), size_text(size.least)),
              fmt::format("set [filesystem] size = \"{}\"", recipe_size(size.rounded)));
}

Result<void> TreeWriter::finish() {
  State& state = *state_;
  TRY(state.ready());
  state.finished = true;
  state.count();
  Finisher finisher(state.fs, *state.target, state.plan);
  TRY_AS(finisher.write(), "cannot write the tree");
  if (state.plan.cursor.overflowed() || finisher.highest_inode() > state.fs->super->s_inodes_count) {
    return state.too_small(finisher.highest_inode());
  }
  state.plan.cursor.commit();
  ext2fs_mark_bb_dirty(state.fs);
  TRY(forget_cached(state.fs));
  TRY(ext2_check(state.fs, ext2fs_flush2(state.fs, EXT2_FLAG_FLUSH_NO_SYNC), "cannot write the file system"));
  TRY(BlockIo::of(state.fs->io).write_back());
  state.stats.bytes_written =
      state.plan.stream.bytes_written() + finisher.table_bytes() + BlockIo::of(state.fs->io).bytes_written();
  return {};
}

}  // namespace domsmith::extfs
