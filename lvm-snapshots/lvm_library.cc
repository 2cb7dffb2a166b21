#include "lvm-snapshots/lvm_library.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libdevmapper.h>
#include <lvm2cmd.h>
#include <malloc.h>
#include <sys/stat.h>

#include <clocale>
#include <filesystem>
#include <string_view>
#include <thread>

#include "base/log.h"
#include "base/text.h"

namespace domsmith {

namespace {

// Where the running command's lines go; guarded by LvmLibrary's mutex, for LVM's log function has no argument of ours.
LvmOutcome* current = nullptr;

extern "C" void take_line(int level, const char* file, int, int, const char* message) {
  if (current == nullptr || level > LVM2_LOG_PRINT) {
    return;
  }
  const std::string_view text(message);
  if (level < LVM2_LOG_PRINT) {
    current->errors.push_back(trimmed(text));
  } else if (std::string_view(file).ends_with("libdm-report.c")) {  // reports and warnings have one level
    current->report += text;
    current->report += '\n';
  } else if (text.starts_with("WARNING:")) {
    current->warnings.push_back(trimmed(text));
  }
}

extern "C" void drop_line(int, const char*, int, int, const char*, ...) {}

// LVM makes its files by lvm.conf's global/umask, 077, and leaves it so: whatever this process made later nobody but
// root could read, such as the network's configuration of a host that was being installed.
class KeptUmask {
 public:
  KeptUmask() : before_(::umask(S_IRWXG | S_IRWXO)) { ::umask(before_); }
  KeptUmask(const KeptUmask&) = delete;
  KeptUmask& operator=(const KeptUmask&) = delete;
  ~KeptUmask() { ::umask(before_); }

 private:
  mode_t before_;
};

// lvm2_init() (lib/commands/toolcontext.c, create_toolcontext) closes and reopens stdin and stdout of whoever calls it
// in the main thread, sets the locale, and keeps malloc from mapping memory. A thread of its own, and putting the rest
// back, leaves this process as it was.
void* start_quietly() {
  const KeptUmask kept;
  const std::string locale = std::setlocale(LC_ALL, nullptr);
  void* handle = nullptr;
  std::thread([&handle] { handle = lvm2_init(); }).join();
  (void)std::setlocale(LC_ALL, locale.c_str());
  static constexpr int glibc_default_mappings = 65536;
  (void)::mallopt(M_MMAP_MAX, glibc_default_mappings);
  return handle;
}

// libdevmapper keeps /dev/mapper/control open without O_CLOEXEC (dm_ioctl iface, _open_control): no program that we
// start shall inherit it.
void keep_control_from_children() {
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (std::filesystem::read_symlink(it->path(), gone) == "/dev/mapper/control") {
      (void)::fcntl(std::stoi(it->path().filename().string()), F_SETFD, FD_CLOEXEC);
    }
  }
}

}  // namespace

std::string command_text(const LvmCommand& command) { return join(command, " "); }

Result<std::shared_ptr<LvmLibrary>> LvmLibrary::get() {
  static std::mutex mutex;
  static std::weak_ptr<LvmLibrary> living;
  const std::lock_guard lock(mutex);
  if (auto library = living.lock()) {
    return library;
  }
  auto started = start();
  if (started) {
    living = *started;
  }
  return started;
}

Result<std::shared_ptr<LvmLibrary>> LvmLibrary::start() {
  lvm2_log_fn(take_line);
  LvmOutcome messages;
  current = &messages;
  void* handle = start_quietly();
  current = nullptr;
  if (handle != nullptr) {
    return std::shared_ptr<LvmLibrary>(new LvmLibrary(handle));
  }
  auto failed = fail(ErrorCode::failed, "cannot start LVM", "try 'vgs': it tells what is wrong with LVM on this host");
  failed.error().causes = messages.errors;
  return failed;
}

LvmLibrary::~LvmLibrary() { lvm2_exit(handle_); }

LvmOutcome LvmLibrary::run(const LvmCommand& command) {
  const std::lock_guard lock(mutex_);
  const KeptUmask kept;
  const std::string text = command_text(command);
  log_debug("lvm: " + text);
  LvmOutcome outcome;
  current = &outcome;
  outcome.success = lvm2_run(handle_, text.c_str()) == LVM2_COMMAND_SUCCEEDED;
  current = nullptr;
  keep_control_from_children();
  return outcome;
}

bool kernel_has_device_mapper() {
  dm_log_with_errno_init(drop_line);
  dm_task* task = dm_task_create(DM_DEVICE_VERSION);
  const bool answers = task != nullptr && dm_task_run(task) != 0;
  if (task != nullptr) {
    dm_task_destroy(task);
  }
  keep_control_from_children();
  return answers;
}

}  // namespace domsmith
