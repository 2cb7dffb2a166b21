#include "hypervisor/installer/machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "base/crypto.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "hypervisor/installer/firmware_entry.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_size = 1U << 20;
constexpr std::chrono::minutes longest_run{10};  // with a program: none of ours takes one on a disk that works

Result<void> fill_device(const Fd& from, const Fd& to, std::uint64_t size, Progress& progress) {
  std::vector<std::byte> piece(piece_size);
  std::uint64_t offset = 0;
  for (;;) {
    const std::size_t count = TRY(read_some(from.get(), piece));
    if (count == 0) {
      break;
    }
    TRY(pwrite_all(to.get(), offset, std::span(piece).first(count)));
    offset += count;
    progress.advance("slot", offset, size, "bytes");
  }
  if (::fsync(to.get()) != 0) {
    return fail_errno("cannot write all of the slot", errno);
  }
  // What is read back must come from the device.
  ::posix_fadvise(to.get(), 0, 0, POSIX_FADV_DONTNEED);
  return {};
}

}  // namespace

Result<void> run_command(const InstallCommand& command) {
  std::vector<std::string> argv = command.argv;
  if (!argv[0].starts_with('/')) {
    argv[0] = TRY(find_program(argv[0]));
  }
  const Command wanted{.argv = std::move(argv), .environment = {}, .working_directory = {}};
  const RunOptions options{.input = command.input, .timeout = longest_run};
  if (command.may_fail) {
    TRY(run(wanted, options));
    return {};
  }
  TRY(run_checked(wanted, options));
  return {};
}

Result<void> stop_arrays_on(const std::string& disk) {
  const std::string name = fs::path(disk).filename().string();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/sys/block", error)) {
    const std::string array = entry.path().filename().string();
    if (!array.starts_with("md")) {
      continue;
    }
    std::error_code ignored;
    for (const auto& member : fs::directory_iterator(entry.path() / "slaves", ignored)) {
      if (member.path().filename().string().starts_with(name)) {
        // A volume group on it may have been activated at the live system's shell.
        TRY(run_command({.argv = {"vgchange", "--activate", "n", "--select", "pv_name=/dev/" + array},
                         .input = {},
                         .may_fail = true}));
        TRY(run_command({.argv = {"mdadm", "--stop", "/dev/" + array}, .input = {}}));
        break;
      }
    }
  }
  return {};
}

Result<void> read_partitions_again(const std::string& disk) {
  TRY(run_command({.argv = {"blockdev", "--rereadpt", disk}, .input = {}}));
  return run_command({.argv = {"udevadm", "settle", "--timeout=60"}, .input = {}});
}

Result<void> mount_device(const std::string& device, const fs::path& where, const std::string& type) {
  TRY(make_directories(where));
  if (::mount(device.c_str(), where.c_str(), type.c_str(), MS_NOATIME | MS_NODEV | MS_NOSUID, nullptr) != 0) {
    return fail_errno(fmt::format("cannot mount {} at {}", device, where.string()), errno);
  }
  return {};
}

Result<void> mount_file(const fs::path& file, const fs::path& where, const std::string& type) {
  TRY(make_directories(where));
  return run_command(
      {.argv = {"mount", "-t", type, "-o", "loop,ro,nodev,nosuid", file.string(), where.string()}, .input = {}});
}

Result<void> mount_firmware_variables() {
  std::error_code error;
  const bool there = !fs::is_empty(firmware_variables, error) && !error;
  return there ? Result<void>() : mount_device("efivarfs", firmware_variables, "efivarfs");
}

Result<void> unmount(const fs::path& where) {
  if (::umount2(where.c_str(), 0) != 0) {
    return fail_errno(fmt::format("cannot unmount {}", where.string()), errno);
  }
  return {};
}

Result<void> end_machine(const std::string& verb, Ending ending) {
  const std::string program = TRY(find_program("systemctl"));
  if (ending == Ending::at_once) {
    ::execl(program.c_str(), "systemctl", "--force", "--no-wall", verb.c_str(), nullptr);
    return fail_errno(fmt::format("cannot run {}", program), errno);
  }
  // "systemctl reboot" would first ask logind, which is not there, and say so.
  const std::string target = verb + ".target";
  ::execl(program.c_str(), "systemctl", "--no-block", "--job-mode=replace-irreversibly", "start", target.c_str(),
          nullptr);
  return fail_errno(fmt::format("cannot run {}", program), errno);
}

Result<std::string> copy_to_device(const fs::path& file, const std::string& device, Progress& progress) {
  const Fd from = TRY(open_fd(file.string(), O_RDONLY));
  const Fd to = TRY(open_fd(device, O_RDWR));
  const std::uint64_t size = fs::file_size(file);
  progress.begin("slot", size, "bytes");
  TRY(fill_device(from, to, size, progress));
  Sha256 digest;
  std::vector<std::byte> piece(piece_size);
  for (std::uint64_t offset = 0; offset < size;) {
    const std::size_t wanted = std::min<std::uint64_t>(piece.size(), size - offset);
    const std::size_t count = TRY(pread_some(to.get(), offset, std::span(piece).first(wanted)));
    if (count == 0) {
      return fail(ErrorCode::failed, fmt::format("{} is shorter than what was written to it", device));
    }
    digest.update(std::span(piece).first(count));
    offset += count;
  }
  progress.end("slot");
  return digest.hex();
}

}  // namespace domsmith
