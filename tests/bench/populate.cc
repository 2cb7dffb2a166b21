// populate TREE IMAGE SIZE: writes a folder into a new ext4 in a sparse file, with the writer that builds use. For
// script/bench, beside `mke2fs -d TREE`.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <vector>

#include "base/block_target.h"
#include "base/error_text.h"
#include "base/fd.h"
#include "base/text.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/extfs/writer.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

class FolderSource {
 public:
  FolderSource(fs::path root, TreeSink& sink) : root_(std::move(root)), sink_(sink) {}

  Result<void> walk(const fs::path& below) {
    TRY(one(below));
    std::error_code error;
    std::vector<fs::path> names;
    for (const auto& item : fs::directory_iterator(root_ / below, error)) {
      names.push_back(item.path().filename());
    }
    for (const fs::path& name : names) {
      const fs::path path = below / name;
      if (fs::is_directory(fs::symlink_status(root_ / path, error))) {
        TRY(walk(path));
      } else {
        TRY(one(path));
      }
    }
    return {};
  }

 private:
  Result<void> one(const fs::path& path) {
    const fs::path full = root_ / path;
    struct stat info{};
    if (::lstat(full.c_str(), &info) != 0) {
      return fail_errno("cannot look at " + full.string(), errno);
    }
    Entry entry;
    entry.path = path.string();
    entry.mode = info.st_mode & 07777U;
    entry.uid = info.st_uid;
    entry.gid = info.st_gid;
    entry.mtime = {.seconds = info.st_mtim.tv_sec, .nanoseconds = static_cast<std::uint32_t>(info.st_mtim.tv_nsec)};
    if (S_ISLNK(info.st_mode)) {
      entry.type = EntryType::symlink;
      entry.target = fs::read_symlink(full).string();
    } else if (S_ISDIR(info.st_mode)) {
      entry.type = EntryType::directory;
    } else if (!S_ISREG(info.st_mode)) {
      return {};  // the bench's trees hold none
    } else if (const auto known = links_.find(info.st_ino); known != links_.end()) {
      entry.type = EntryType::hard_link;
      entry.target = known->second;
    } else {
      entry.size = static_cast<std::uint64_t>(info.st_size);
      if (info.st_nlink > 1) {
        links_.emplace(info.st_ino, entry.path);
      }
      TRY(sink_.entry(entry));
      return data(full);
    }
    return sink_.entry(entry);
  }

  Result<void> data(const fs::path& full) {
    const Fd file = TRY(open_fd(full.string(), O_RDONLY));
    std::uint64_t offset = 0;
    while (const std::size_t count = TRY(read_some(file.get(), buffer_))) {
      TRY(sink_.data(offset, std::span(buffer_).first(count)));
      offset += count;
    }
    return {};
  }

  fs::path root_;
  TreeSink& sink_;
  std::map<ino_t, std::string> links_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(1U << 20);
};

Result<void> populate(const fs::path& tree, const std::string& image, std::uint64_t size) {
  {
    const Fd file = TRY(open_fd(image, O_RDWR | O_CREAT | O_TRUNC));
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
      return fail_errno("cannot size " + image, errno);
    }
  }
  const auto target = TRY(open_block_target(image, Access::read_write));
  auto file_system = TRY(extfs::FileSystem::format(*target, {}));
  extfs::TreeWriter writer(file_system);
  TRY(FolderSource(tree, writer).walk(""));
  TRY(writer.finish());
  return file_system.flush();
}

}  // namespace
}  // namespace domsmith

int main(int argc, char** argv) {
  const auto size = argc == 4 ? domsmith::parse_size(argv[3]) : std::nullopt;
  if (!size) {
    std::fputs("usage: populate TREE IMAGE SIZE\n", stderr);
    return 2;
  }
  const auto done = domsmith::populate(argv[1], argv[2], *size);
  if (!done) {
    std::fputs(domsmith::error_text(done.error()).c_str(), stderr);
    return 1;
  }
  return 0;
}
