#include "lvm-snapshots/lvm_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/interrupt.h"

namespace domsmith {

namespace {

bool has_its_name(const std::filesystem::path& path, int fd) {
  struct stat named{}, locked{};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &locked) == 0 && named.st_dev == locked.st_dev &&
         named.st_ino == locked.st_ino;
}

}  // namespace

Result<LvmLock::File> LvmLock::File::lock_plainly(const std::filesystem::path& path) {
  while (true) {
    Fd fd = TRY(open_fd(path.string(), O_CREAT | O_APPEND | O_RDWR, 0600));
    while (::flock(fd.get(), LOCK_EX) != 0) {
      if (errno != EINTR) {
        return fail_errno(fmt::format("cannot lock {}", path.string()), errno);
      }
      TRY(check_interrupted());
    }
    if (has_its_name(path, fd.get())) {
      return File(path, std::move(fd));
    }
  }
}

Result<LvmLock::File> LvmLock::File::lock(const std::filesystem::path& path) {
  const File announced = TRY(lock_plainly(path.string() + ":aux"));
  return lock_plainly(path);
}

// Its name goes while it is still locked: nobody can lock that file under that name in between.
LvmLock::File::~File() {
  if (fd_ && has_its_name(path_, fd_.get())) {
    ::unlink(path_.c_str());
  }
}

Result<LvmLock> LvmLock::acquire(const std::filesystem::path& directory, const std::string& group) {
  TRY(make_directories(directory, 0700));
  std::vector<File> files;
  files.push_back(TRY(File::lock(directory / "P_global")));
  files.push_back(TRY(File::lock(directory / fmt::format("V_{}", group))));
  return LvmLock(std::move(files));
}

}  // namespace domsmith
