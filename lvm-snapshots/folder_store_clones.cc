// The verbs on many volumes: clone, reset, remove; and what they would be on a command line.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/fail_point.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "lvm-snapshots/folder_store.h"
#include "lvm-snapshots/store_rules.h"
#include "lvm-snapshots/volume_file.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

fs::path half_made(const FolderWorkspace& work, std::string_view name) {
  return work.path() / fmt::format("{}.img", name);
}

Result<void> make_copy(int golden, const fs::path& path, bool share, bool sync) {
  const Fd fd = TRY(open_fd(path.string(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(share ? reflink(golden, fd.get()) : copy_used(golden, fd.get()));
  if (sync && ::fsync(fd.get()) != 0) {
    return fail_errno(fmt::format("cannot sync {}", path.string()), errno);
  }
  return fail_point("folder.copy.after");
}

Result<void> sync_filesystem(const fs::path& folder) {
  const Fd fd = TRY(open_fd(folder.string(), O_RDONLY | O_DIRECTORY));
  if (::syncfs(fd.get()) != 0) {
    return fail_errno(fmt::format("cannot sync the file system of {}", folder.string()), errno);
  }
  return {};
}

Result<void> rename_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return {};
  }
  if (errno == EINVAL) {  // a file system without the flag; the gate keeps others away
    if (::rename(from.c_str(), to.c_str()) == 0) {
      return {};
    }
  }
  return fail_errno(fmt::format("cannot put {} in place", to.string()), errno);
}

// A number of threads takes the names one after another; the first error stops all of them.
class CopyCrew {
 public:
  CopyCrew(std::size_t count, Progress& progress) : count_(count), progress_(progress) {}

  template <class Copy>
  Result<void> run(Copy copy) {
    const std::size_t crew = std::min<std::size_t>({count_, std::max(1U, std::thread::hardware_concurrency()), 8});
    progress_.begin("volumes", count_, "volumes");
    {
      std::vector<std::jthread> helpers;
      for (std::size_t i = 1; i < crew; ++i) {
        helpers.emplace_back([this, &copy] { work(copy, false); });
      }
      work(copy, true);
    }
    progress_.advance("volumes", finished_, count_, "volumes");  // the helpers' last ones too
    progress_.end("volumes");
    if (error_) {
      return std::unexpected(*error_);
    }
    return {};
  }

 private:
  template <class Copy>
  void work(Copy& copy, bool reports) {
    for (std::size_t i = next_++; i < count_ && !stop_; i = next_++) {
      auto done = check_interrupted();
      if (done) {
        done = copy(i);
      }
      if (!done) {
        const std::lock_guard lock(mutex_);
        error_ = error_ ? error_ : std::move(done).error();
        stop_ = true;
        return;
      }
      const std::size_t finished = ++finished_;
      if (reports) {
        progress_.advance("volumes", finished, count_, "volumes");
      }
    }
  }

  std::size_t count_;
  Progress& progress_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> finished_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::optional<Error> error_;
};

}  // namespace

Result<void> FolderStore::check_room(int golden, std::size_t count, bool reflink) const {
  struct statvfs room{};
  if (::statvfs(layout_.root().c_str(), &room) != 0) {
    return fail_errno(fmt::format("cannot look at {}", layout_.root().string()), errno);
  }
  const std::uint64_t each = reflink ? std::uint64_t{room.f_frsize} : TRY(allocated_bytes(golden));
  const std::uint64_t needed = each * count;
  const std::uint64_t free = std::uint64_t{room.f_bavail} * room.f_frsize;
  if (needed <= free) {
    return {};
  }
  return fail(
      ErrorCode::no_space,
      fmt::format("{} clone{} need {} in {}, and {} are free", count, count == 1 ? "" : "s", size_text(needed), name(),
                  size_text(free)),
      reflink ? "free some space" : "free some space, or put the store on XFS or btrfs, where clones share blocks");
}

Result<void> FolderStore::make_copies(const Copying& copying, std::span<const std::string> names) {
  // Complete on the disk before any of them is visible. A reflink writes nothing but metadata, and many of them are
  // synced at once: 1,000 fsyncs are 1,000 commits of the file system's log.
  static constexpr std::size_t few = 4;
  const bool one_by_one = !copying.reflink || names.size() <= few;
  auto made = CopyCrew(names.size(), progress()).run([&](std::size_t i) -> Result<void> {
    const fs::path path = copying.folder / fmt::format("{}.img", names[i]);
    return make_copy(copying.golden, path, copying.reflink, one_by_one);
  });
  if (made && !one_by_one) {
    made = sync_filesystem(copying.folder);
  }
  if (!made && made.error().code == ErrorCode::no_space) {
    Error error = std::move(made).error();
    error.remedy =
        fmt::format("each clone takes {}: free some space", size_text(allocated_bytes(copying.golden).value_or(0)));
    return wrap(std::move(error), fmt::format("{} ran full", name()));
  }
  return made;
}

Result<void> FolderStore::clone(std::string_view origin, std::span<const std::string> names) {
  TRY(store_rules::check_names(names));
  Fd golden;
  std::optional<FolderWorkspace> work;
  {
    const FileLock lock = TRY(change());
    const FolderEntry entry = TRY(locate(origin));
    TRY(store_rules::check_origin(origin, entry.kind));
    TRY(check_free_names(names));
    golden = TRY(open_volume_file(entry.path, Access::read_only));  // nobody removes it meanwhile
    work.emplace(TRY(FolderWorkspace::make(layout_.work())));
  }
  const bool share = TRY(can_reflink(work->path()));
  TRY(check_room(golden.get(), names.size(), share));
  TRY_AS(make_copies({golden.get(), work->path(), share}, names), fmt::format("cannot clone '{}'", origin));
  const FileLock lock = TRY(change());
  TRY(check_free_names(names));
  return move_in(*work, origin, names);
}

Result<void> FolderStore::check_free_names(std::span<const std::string> names) const {
  for (const std::string& volume : names) {
    if (layout_.locate(volume)) {
      return store_rules::taken(name(), volume);
    }
  }
  return {};
}

Result<void> FolderStore::move_in(const FolderWorkspace& work, std::string_view origin,
                                  std::span<const std::string> names) {
  const fs::path folder = layout_.clones(origin);
  TRY(make_directories(folder));
  Result<void> moved;
  std::size_t count = 0;
  for (; count < names.size() && moved; ++count) {
    moved = rename_new(half_made(work, names[count]), layout_.clone(origin, names[count]));
    if (moved) {
      moved = fail_point("folder.clone.visible");
    }
  }
  if (!moved) {
    for (const std::string& volume : names.first(count)) {
      ::unlink(layout_.clone(origin, volume).c_str());
    }
    ::rmdir(folder.c_str());  // stays where other clones are in it
    return moved;
  }
  TRY(sync_directory(folder));
  return sync_directory(folder.parent_path());
}

Result<void> FolderStore::reset(std::span<const std::string> names) {
  TRY(store_rules::check_names(names));
  std::map<std::string, std::vector<std::string>> by_origin;
  std::optional<FolderWorkspace> work;
  {
    const FileLock lock = TRY(change());
    for (const std::string& volume : names) {
      const FolderEntry entry = TRY(locate(volume));
      TRY(store_rules::check_is_clone(volume, entry.kind, "be reset"));
      TRY(check_idle(entry));
      by_origin[entry.origin].push_back(volume);
    }
    work.emplace(TRY(FolderWorkspace::make(layout_.work())));
  }
  std::vector<Fd> goldens;  // open until the end: nobody removes them meanwhile
  for (const auto& [origin, clones] : by_origin) {
    const std::string headline = fmt::format("cannot go back to golden image '{}'", origin);
    Fd golden = TRY_AS(open_volume_file(layout_.golden(origin), Access::read_only), headline);
    const bool share = TRY(can_reflink(work->path()));
    TRY_AS(check_room(golden.get(), clones.size(), share), headline);
    TRY_AS(make_copies({golden.get(), work->path(), share}, clones), headline);
    goldens.push_back(std::move(golden));
  }
  const FileLock lock = TRY(change());
  return swap_in(*work, names);
}

// The old bytes go into the workspace in exchange for the new ones, so that an error can put them back.
Result<void> FolderStore::swap_in(const FolderWorkspace& work, std::span<const std::string> names) {
  std::vector<FolderEntry> entries;
  for (const std::string& volume : names) {
    entries.push_back(TRY(locate(volume)));
    TRY(check_idle(entries.back()));
  }
  const auto exchange = [&](const FolderEntry& entry) -> Result<void> {
    if (::renameat2(AT_FDCWD, half_made(work, entry.name).c_str(), AT_FDCWD, entry.path.c_str(), RENAME_EXCHANGE) !=
        0) {
      return fail_errno(fmt::format("cannot reset volume '{}'", entry.name), errno);
    }
    return {};
  };
  std::set<fs::path> folders;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto exchanged = exchange(entries[i]);
    if (!exchanged) {
      for (std::size_t back = 0; back < i; ++back) {
        (void)exchange(entries[back]);
      }
      return exchanged;
    }
    TRY(fail_point("folder.reset.exchanged"));
    folders.insert(entries[i].path.parent_path());
  }
  for (const fs::path& folder : folders) {
    TRY(sync_directory(folder));
  }
  return {};
}

Result<std::vector<FolderEntry>> FolderStore::removable(std::span<const std::string> names) const {
  const std::set<std::string_view> going(names.begin(), names.end());
  std::vector<FolderEntry> entries;
  for (const std::string& volume : names) {
    auto entry = layout_.locate(volume);
    if (!entry) {
      continue;
    }
    TRY(check_idle(*entry));
    if (entry->kind == VolumeKind::golden) {
      auto clones = layout_.clones_of(volume);
      std::erase_if(clones, [&](const std::string& clone) { return going.contains(clone); });
      if (!clones.empty()) {
        return store_rules::golden_has_clones(volume, clones);
      }
    }
    entries.push_back(*std::move(entry));
  }
  return entries;
}

Result<void> FolderStore::remove(std::span<const std::string> names) {
  TRY(store_rules::check_names(names));
  std::optional<FolderWorkspace> trash;  // emptied after the gate is free again: large files take their time
  const FileLock lock = TRY(change());
  std::vector<FolderEntry> entries = TRY(removable(names));
  if (entries.empty()) {
    return {};
  }
  // Clones first: at no time is there one without its golden image.
  std::ranges::stable_partition(entries, [](const FolderEntry& entry) { return entry.kind == VolumeKind::clone; });
  const FolderWorkspace& work = trash.emplace(TRY(FolderWorkspace::make(layout_.work())));
  Result<void> moved;
  std::size_t count = 0;
  for (; count < entries.size() && moved; ++count) {
    moved = rename_new(entries[count].path, half_made(work, entries[count].name));
    if (moved) {
      moved = fail_point("folder.remove.hidden");
    }
  }
  if (!moved) {
    for (const FolderEntry& entry : std::span(entries).first(count)) {
      (void)rename_new(half_made(work, entry.name), entry.path);
    }
    return moved;
  }
  std::set<fs::path> folders;
  for (const FolderEntry& entry : entries) {
    TRY(layout_.set_activated(entry.name, false));
    folders.insert(entry.path.parent_path());
  }
  for (const fs::path& folder : folders) {
    if (folder.parent_path() != layout_.root() && ::rmdir(folder.c_str()) == 0) {
      continue;
    }
    TRY(sync_directory(folder));
  }
  return {};
}

std::vector<std::string> FolderStore::plan_create(std::string_view volume, std::uint64_t size) const {
  return {fmt::format("truncate --size={} {}", size, layout_.staging(volume).string())};
}

std::vector<std::string> FolderStore::plan_seal(std::string_view volume) const {
  return {fmt::format("chmod 0444 {}", layout_.staging(volume).string()),
          fmt::format("mv {} {}", layout_.staging(volume).string(), layout_.golden(volume).string())};
}

std::vector<std::string> FolderStore::plan_clone(std::string_view origin, std::span<const std::string> names) const {
  std::vector<std::string> commands;
  for (const std::string& volume : names) {
    commands.push_back(fmt::format("cp --reflink=auto --sparse=always {} {}", layout_.golden(origin).string(),
                                   layout_.clone(origin, volume).string()));
  }
  return commands;
}

std::vector<std::string> FolderStore::plan_reset(std::string_view origin, std::span<const std::string> names) const {
  return plan_clone(origin, names);
}

std::vector<std::string> FolderStore::plan_remove(std::span<const std::string> names) const {
  std::vector<std::string> commands;
  for (const std::string& volume : names) {
    const auto entry = layout_.locate(volume);
    commands.push_back(
        fmt::format("rm {}", entry ? entry->path.string() : layout_.root().string() + "/*/" + volume + ".img"));
  }
  return commands;
}

}  // namespace domsmith
