#include "imagebuild/tree/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/folder_names.h"
#include "base/interrupt.h"

namespace domsmith {
namespace {

constexpr std::size_t buffer_bytes = 256U << 10;  // stays in a core's cache between read and write
constexpr std::size_t deepest = 400;              // each level keeps a descriptor open
constexpr std::size_t most_value_bytes = 64U << 10;

EntryType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return EntryType::directory;
    case S_IFLNK:
      return EntryType::symlink;
    case S_IFCHR:
      return EntryType::character_device;
    case S_IFBLK:
      return EntryType::block_device;
    case S_IFIFO:
      return EntryType::fifo;
    case S_IFSOCK:
      return EntryType::socket;
    default:
      return EntryType::regular;
  }
}

class FolderReader {
 public:
  FolderReader(TreeSink& sink, Progress& progress) : sink_(&sink), progress_(&progress), buffer_(buffer_bytes) {}

  Result<FolderStats> run(const std::filesystem::path& folder) {
    Fd top = TRY(open_fd(folder, O_RDONLY | O_DIRECTORY));
    TRY(give(top.get(), ".", ""));
    TRY(enter(std::move(top), ""));
    while (!levels_.empty()) {
      if (levels_.back().folders.empty()) {
        levels_.pop_back();
        continue;
      }
      const std::string name = std::move(levels_.back().folders.back());
      levels_.back().folders.pop_back();
      const std::string path = child(levels_.back().path, name);
      Fd inner(::openat(levels_.back().fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!inner) {
        return fail_errno(fmt::format("cannot open '{}'", path), errno);
      }
      TRY(enter(std::move(inner), path));
    }
    return stats_;
  }

 private:
  struct Level {
    Fd fd;
    std::string path;
    std::vector<std::string> folders;  // still to be entered, last first
  };

  static std::string child(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "/" + name;
  }

  // Gives all that a directory holds, its folders' own entries too, and remembers those.
  Result<void> enter(Fd fd, const std::string& path) {
    if (levels_.size() >= deepest) {
      return fail(ErrorCode::bad_input, fmt::format("'{}' is deeper than {} folders", path, deepest));
    }
    Level level{.fd = std::move(fd), .path = path, .folders = {}};
    for (std::string& name : TRY_AS(names_in_folder(level.fd.get()), fmt::format("cannot list '{}'", path))) {
      TRY(check_interrupted());
      const std::string full = child(path, name);
      if (TRY(give(level.fd.get(), name, full)) == EntryType::directory) {
        level.folders.push_back(std::move(name));
      }
    }
    std::ranges::reverse(level.folders);
    levels_.push_back(std::move(level));
    return {};
  }

  Result<EntryType> give(int directory, const std::string& name, const std::string& path) {
    struct stat info = {};
    if (::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno(fmt::format("cannot look at '{}'", path), errno);
    }
    Entry entry = describe(info, path);
    if (entry.type != EntryType::directory && info.st_nlink > 1) {
      const auto [first, is_new] = first_names_.try_emplace({info.st_dev, info.st_ino}, path);
      if (!is_new) {
        entry.type = EntryType::hard_link;
        entry.target = first->second;
      }
    }
    TRY_AS(complete(directory, name, entry), fmt::format("cannot read '{}'", path));
    ++stats_.entries;
    TRY(sink_->entry(entry));
    if (entry.type == EntryType::regular && entry.size > 0) {
      TRY_AS(give_data(directory, name, info), fmt::format("cannot read '{}'", path));
    }
    return entry.type;
  }

  static Entry describe(const struct stat& info, const std::string& path) {
    Entry entry;
    entry.path = path;
    entry.type = type_of(info.st_mode);
    entry.mode = info.st_mode & 07777;
    entry.uid = info.st_uid;
    entry.gid = info.st_gid;
    entry.mtime = {.seconds = info.st_mtim.tv_sec, .nanoseconds = static_cast<std::uint32_t>(info.st_mtim.tv_nsec)};
    if (entry.type == EntryType::regular) {
      entry.size = static_cast<std::uint64_t>(info.st_size);
    }
    if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
      entry.device_major = major(info.st_rdev);
      entry.device_minor = minor(info.st_rdev);
    }
    return entry;
  }

  // The text of a link, and the attributes.
  Result<void> complete(int directory, const std::string& name, Entry& entry) {
    if (entry.type == EntryType::hard_link) {
      return {};
    }
    if (entry.type == EntryType::symlink) {
      std::string text(4096, '\0');
      const ssize_t length = ::readlinkat(directory, name.c_str(), text.data(), text.size());
      if (length < 0) {
        return fail_errno("cannot read the link", errno);
      }
      entry.target = text.substr(0, static_cast<std::size_t>(length));
    }
    return take_xattrs(fmt::format("/proc/self/fd/{}/{}", directory, name), entry);
  }

  Result<void> take_xattrs(const std::string& path, Entry& entry) {
    const ssize_t length = ::llistxattr(path.c_str(), reinterpret_cast<char*>(buffer_.data()), most_value_bytes);
    if (length < 0) {
      return errno == ENOTSUP || errno == EACCES ? Result<void>() : fail_errno("cannot list its attributes", errno);
    }
    const std::string names(reinterpret_cast<const char*>(buffer_.data()), static_cast<std::size_t>(length));
    for (std::size_t at = 0; at < names.size();) {
      const std::string name = names.c_str() + at;
      at += name.size() + 1;
      const ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), buffer_.data(), most_value_bytes);
      if (size < 0) {
        return fail_errno(fmt::format("cannot read its attribute '{}'", name), errno);
      }
      entry.xattrs.emplace(name,
                           std::string(reinterpret_cast<const char*>(buffer_.data()), static_cast<std::size_t>(size)));
    }
    return {};
  }

  Result<void> give_data(int directory, const std::string& name, const struct stat& info) {
    const Fd fd(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) {
      return fail_errno("cannot open it", errno);
    }
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const bool has_holes = static_cast<std::uint64_t>(info.st_blocks) * 512 < size;
    for (std::uint64_t at = 0; at < size;) {
      std::uint64_t end = size;
      if (has_holes) {
        const off_t data = ::lseek(fd.get(), static_cast<off_t>(at), SEEK_DATA);
        if (data < 0) {
          return errno == ENXIO ? Result<void>() : fail_errno("cannot look for holes", errno);
        }
        at = static_cast<std::uint64_t>(data);
        end = std::min(size, static_cast<std::uint64_t>(std::max<off_t>(::lseek(fd.get(), data, SEEK_HOLE), data)));
      }
      if (at >= end || TRY(give_range(fd.get(), at, end)) < end) {
        return {};
      }
      at = end;
    }
    return {};
  }

  // Up to where the bytes came to an end.
  Result<std::uint64_t> give_range(int fd, std::uint64_t at, std::uint64_t end) {
    while (at < end) {
      const std::size_t wanted = std::min<std::uint64_t>(buffer_.size(), end - at);
      const std::size_t got = TRY(pread_some(fd, at, std::span(buffer_).first(wanted)));
      if (got == 0) {
        break;
      }
      TRY(sink_->data(at, std::span(buffer_).first(got)));
      at += got;
      stats_.data_bytes += got;
      report();
    }
    return at;
  }

  void report() {
    constexpr std::uint64_t step = 4U << 20;
    if (stats_.data_bytes - reported_ >= step) {
      reported_ = stats_.data_bytes;
      progress_->advance("folder", reported_, 0, "bytes");
    }
  }

  TreeSink* sink_;
  Progress* progress_;
  std::vector<std::byte> buffer_;
  std::vector<Level> levels_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
  FolderStats stats_;
  std::uint64_t reported_ = 0;
};

}  // namespace

Result<FolderStats> read_folder(const std::filesystem::path& folder, TreeSink& sink, Progress& progress) {
  return FolderReader(sink, progress).run(folder);
}

}  // namespace domsmith
