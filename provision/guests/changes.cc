#include "provision/guests/changes.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "base/text.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/identity/plan.h"

namespace domsmith {

namespace {

using extfs::DirectoryItem;
using extfs::FileSystem;
using extfs::Follow;

constexpr std::size_t shown = 5;

class Comparison {
 public:
  Comparison(FileSystem& origin, FileSystem& clone, std::set<std::string> own)
      : origin_(origin), clone_(clone), own_(std::move(own)) {}

  // Folder by folder, without recursion: an image may be as deep as it is large.
  Result<Changes> run() {
    folders_.emplace_back("");
    while (!folders_.empty()) {
      const std::string folder = std::move(folders_.back());
      folders_.pop_back();
      TRY(compare(folder));
    }
    std::ranges::sort(changes_.first);
    return changes_;
  }

 private:
  Result<void> compare(const std::string& folder) {
    const std::vector<DirectoryItem> before = TRY(items(origin_, folder));
    const std::vector<DirectoryItem> now = TRY(items(clone_, folder));
    // By name: a mail spool holds a hundred thousand.
    std::map<std::string_view, EntryType> old;
    std::set<std::string_view> names;
    std::ranges::transform(now, std::inserter(names, names.end()), &DirectoryItem::name);
    for (const DirectoryItem& item : before) {
      old.emplace(item.name, item.type);
      if (!names.contains(item.name)) {
        note(folder + "/" + item.name);
      }
    }
    for (const DirectoryItem& item : now) {
      const std::string path = folder + "/" + item.name;
      const auto there = old.find(item.name);
      const bool was_there = there != old.end() && there->second == item.type;
      if (item.type == EntryType::directory) {
        folders_.push_back(path);  // a new one counts by what is in it
      } else if (!was_there || TRY(differs(path))) {
        note(path);
      }
    }
    return {};
  }

  static Result<std::vector<DirectoryItem>> items(FileSystem& fs, const std::string& folder) {
    const std::string path = folder.empty() ? "/" : folder;
    const bool there = TRY(fs.exists(path, Follow::no));
    if (!there || TRY(fs.stat(path, Follow::no)).type != EntryType::directory) {
      return std::vector<DirectoryItem>();
    }
    return fs.list(path);
  }

  Result<bool> differs(const std::string& path) {
    const extfs::NodeInfo before = TRY(origin_.stat(path, Follow::no));
    const extfs::NodeInfo now = TRY(clone_.stat(path, Follow::no));
    return before.mode != now.mode || before.uid != now.uid || before.gid != now.gid || before.size != now.size ||
           before.mtime.seconds != now.mtime.seconds || before.mtime.nanoseconds != now.mtime.nanoseconds;
  }

  void note(const std::string& path) {
    if (own_.contains(path)) {
      return;
    }
    ++changes_.count;
    if (changes_.first.size() < shown) {
      changes_.first.push_back(path);
    }
  }

  FileSystem& origin_;
  FileSystem& clone_;
  std::set<std::string> own_;  // what the identity writes and removes
  std::vector<std::string> folders_;
  Changes changes_;
};

}  // namespace

Result<Changes> changes_of(BlockTarget& origin, BlockTarget& clone, const Identity& identity) {
  FileSystem before = TRY(FileSystem::open(origin, Access::read_only));
  FileSystem now = TRY(FileSystem::open(clone, Access::read_only));
  const IdentityPlan plan = plan_identity(TRY(read_image_facts(before)), identity);
  std::set<std::string> own(plan.remove.begin(), plan.remove.end());
  for (const PlannedFile& file : plan.files) {
    own.insert(file.path);
  }
  return Comparison(before, now, std::move(own)).run();
}

std::string paths_text(const Changes& changes) {
  return join(changes.first, ", ") + (changes.count > changes.first.size() ? ", …" : "");
}

}  // namespace domsmith
