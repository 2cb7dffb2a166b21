#include "imagebuild/boot/agent/place.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "imagebuild/boot/agent/accounts.h"

namespace domsmith::agent {
namespace {

class Handle {
 public:
  explicit Handle(int fd) : fd_(fd) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Outcome write_bytes(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) {
      return errno_text("cannot write " + path);
    }
    bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
  }
  return {};
}

Outcome make_parents(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    std::string parent = path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) {
      return errno_text("cannot make the folder " + parent);
    }
  }
  return {};
}

// Mode behind owner: chown(2) clears set-user-ID bits.
Outcome set_attributes(const std::string& root, const std::string& path, const Step& step) {
  auto owner = find_owner(root, step.owner, step.group);
  if (!owner) {
    return std::unexpected(owner.error());
  }
  if (::lchown(path.c_str(), owner->uid, owner->gid) != 0) {
    return errno_text("cannot give " + path + " to " + step.owner + ":" + step.group);
  }
  if (::chmod(path.c_str(), step.mode) != 0) {
    return errno_text("cannot set the mode of " + path);
  }
  return {};
}

Outcome remove_one(const std::string& path) {
  std::error_code code;
  std::filesystem::remove_all(path, code);
  if (code) {
    return std::unexpected("cannot remove " + path + ": " + code.message());
  }
  return {};
}

}  // namespace

std::unexpected<std::string> errno_text(std::string_view what) {
  return std::unexpected(std::string(what) + ": " + std::strerror(errno));
}

std::expected<std::string, std::string> read_small_file(const std::string& path, std::size_t limit) {
  Handle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return errno_text("cannot open " + path);
  }
  std::string bytes;
  std::string buffer(65536, '\0');
  for (;;) {
    ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count == 0) {
      return bytes;
    }
    if (count < 0 && errno != EINTR) {
      return errno_text("cannot read " + path);
    }
    bytes.append(buffer, 0, count > 0 ? static_cast<std::size_t>(count) : 0);
    if (bytes.size() > limit) {
      return std::unexpected(path + " is too large");
    }
  }
}

Outcome write_new_file(const std::string& path, std::string_view bytes, std::uint32_t mode) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return errno_text("cannot replace " + path);
  }
  Handle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) {
    return errno_text("cannot create " + path);
  }
  if (auto written = write_bytes(file.get(), bytes, path); !written) {
    return written;
  }
  if (::fchmod(file.get(), mode) != 0) {
    return errno_text("cannot set the mode of " + path);
  }
  return {};
}

Outcome place_file(const std::string& root, const Step& step) {
  std::string path = root + step.path;
  if (auto made = make_parents(path); !made) {
    return made;
  }
  if (auto written = write_new_file(path, step.input, 0600); !written) {
    return written;
  }
  return set_attributes(root, path, step);
}

Outcome place_directory(const std::string& root, const Step& step) {
  std::string path = root + step.path;
  if (auto made = make_parents(path); !made) {
    return made;
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_text("cannot make the folder " + path);
  }
  return set_attributes(root, path, step);
}

Outcome place_new_directory(const std::string& root, const Step& step) {
  struct stat info{};
  const std::string path = root + step.path;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) ? Outcome() : place_directory(root, step);
}

Outcome place_symlink(const std::string& root, const Step& step) {
  if (step.argv.size() != 1) {
    return std::unexpected("a link needs one target");
  }
  std::string path = root + step.path;
  if (auto made = make_parents(path); !made) {
    return made;
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return errno_text("cannot replace " + path);
  }
  if (::symlink(step.argv[0].c_str(), path.c_str()) != 0) {
    return errno_text("cannot create the link " + path);
  }
  return {};
}

Outcome remove_paths(const std::string& root, const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    std::filesystem::path path(root + pattern);
    std::vector<std::string> found;
    std::error_code code;
    for (const auto& item : std::filesystem::directory_iterator(path.parent_path(), code)) {
      if (::fnmatch(path.filename().c_str(), item.path().filename().c_str(), 0) == 0) {
        found.push_back(item.path());
      }
    }
    if (code && code != std::errc::no_such_file_or_directory && code != std::errc::not_a_directory) {
      return std::unexpected("cannot look into " + path.parent_path().string() + ": " + code.message());
    }
    for (const std::string& one : found) {
      if (auto removed = remove_one(one); !removed) {
        return removed;
      }
    }
  }
  return {};
}

}  // namespace domsmith::agent
