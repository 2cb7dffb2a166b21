#include "hypervisor/host/slots.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <span>

#include "base/block_target.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "hypervisor/answer/install_plan.h"
#include "hypervisor/boot/environment.h"
#include "hypervisor/host/guests.h"
#include "hypervisor/init/root.h"
#include "hypervisor/installer/machine.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

constexpr const char* work = "/run/domsmith-slots";

std::string slot_device(const RunningSlot& running, const std::string& slot) {
  return fmt::format("/dev/{}/slot-{}", running.group, slot);
}

// One EFI system partition a disk: all say the same, for any of them may be the one that starts the machine. Without
// devices to look at blkid(8) would probe all there are, guests' volumes among them.
Result<std::vector<std::string>> boot_partitions() {
  std::vector<std::string> argv{TRY(find_program("blkid")), "-c", "/dev/null", "-t",
                                "LABEL=DOMSMITHEFI",        "-o", "device"};
  const std::size_t fixed = argv.size();
  for (std::string& device : partitions_named(esp_name)) {
    argv.push_back(std::move(device));
  }
  const bool any = argv.size() > fixed;
  const std::string found =
      any ? trimmed(TRY(run({.argv = std::move(argv), .environment = {}, .working_directory = {}})).out)
          : std::string();
  if (found.empty()) {
    return fail(ErrorCode::not_found, "no file system is labelled DOMSMITHEFI", "is this host installed by domsmith?");
  }
  return split_lines(found);
}

using Change = std::function<Result<std::string>(const std::string& block)>;

// In place: the block never changes its size, and of a FAT whose power goes away in the middle of a rename nothing is
// certain.
Result<void> change_environment(const fs::path& file, const Change& change) {
  const std::string block = TRY(change(TRY(read_file(file))));
  const Fd to = TRY(open_fd(file.string(), O_WRONLY));
  TRY(pwrite_all(to.get(), 0, std::as_bytes(std::span(block))));
  return ::fsync(to.get()) == 0 ? Result<void>() : fail_errno(fmt::format("cannot write {}", file.string()), errno);
}

Result<void> each_environment(const std::function<Result<void>(const fs::path& file)>& act) {
  const fs::path esp = fs::path(work) / "esp";
  for (const std::string& device : TRY(boot_partitions())) {
    TRY(mount_device(device, esp, "vfat"));
    const auto done = act(esp / "grub/grubenv");
    TRY(unmount(esp));
    TRY(done);
  }
  return {};
}

Result<void> change_environments(const Change& change) {
  return each_environment([&](const fs::path& file) { return change_environment(file, change); });
}

// Read only: this is asked at each start.
Result<std::string> known_slot() {
  std::string slot;
  TRY(each_environment([&](const fs::path& file) -> Result<void> {
    slot = environment_value(TRY(read_file(file)), "slot");
    return {};
  }));
  return slot;
}

// The boot files are where GRUB looks for them.
Result<void> check_slot(const fs::path& image) {
  const fs::path folder = fs::path(work) / "slot";
  TRY_AS(mount_file(image, folder, "squashfs"), fmt::format("{} is no slot", image.string()));
  std::string missing;
  for (const char* file : {"boot/xen.gz", "boot/kernel", "boot/initrd.img", "usr/bin/domsmith"}) {
    std::error_code ignored;
    missing = fs::is_regular_file(folder / file, ignored) ? missing : file;
  }
  TRY(unmount(folder));
  return missing.empty()
             ? Result<void>()
             : fail(ErrorCode::bad_input, fmt::format("{} is no slot: it has no {}", image.string(), missing),
                    "make one: domsmith iso slot --output FILE");
}

Result<void> check_room(const fs::path& image, const std::string& device) {
  const auto target = TRY(open_block_target(device, Access::read_only));
  const std::uint64_t size = fs::file_size(image);
  if (size > target->size()) {
    return fail(
        ErrorCode::bad_input,
        fmt::format("{} has {}, {} only {}", image.string(), size_text(size), device, size_text(target->size())),
        fmt::format("make it larger: lvextend --size {}b {}", (size + (4U << 20)) / (4U << 20) * (4U << 20), device));
  }
  return {};
}

Result<bool> runs(std::vector<std::string> argv) {
  argv[0] = TRY(find_program(argv[0]));
  return TRY(run({.argv = std::move(argv), .environment = {}, .working_directory = {}},
                 {.input = {}, .timeout = std::chrono::seconds(60)}))
      .status.success();
}

// "40-xenbr0.netdev" of the installer -> "xenbr0"
std::vector<std::string> bridges_of(const fs::path& root) {
  std::vector<std::string> bridges;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root / "etc/systemd/network", error)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == ".netdev" && name.starts_with("40-")) {
      bridges.push_back(name.substr(3));
    }
  }
  return bridges;
}

}  // namespace

std::vector<std::string> partitions_named(std::string_view name, const fs::path& root) {
  std::vector<std::string> devices;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root / "sys/class/block", error)) {
    for (const std::string& line : split_lines(read_file(entry.path() / "uevent").value_or(""))) {
      if (line == fmt::format("PARTNAME={}", name)) {
        devices.push_back("/dev/" + entry.path().filename().string());
      }
    }
  }
  std::ranges::sort(devices);
  return devices;
}

Result<RunningSlot> running_slot(std::string_view cmdline) {
  const auto wanted = host_init::read_wanted(cmdline);
  if (!wanted || wanted->live) {
    return fail(ErrorCode::unsupported, "this machine does not run from a slot",
                "slots are those of a host that was installed from domsmith's medium");
  }
  return RunningSlot{.group = wanted->group, .slot = wanted->slot};
}

Result<void> upgrade_slot(const RunningSlot& running, const fs::path& image, const std::string& sha256,
                          Progress& progress) {
  const std::string device = slot_device(running, running.other());
  TRY(make_directories(work));
  TRY(check_slot(image));
  TRY(run_command({.argv = {"lvchange", "--activate", "y", fmt::format("{}/slot-{}", running.group, running.other())},
                   .input = {}}));
  TRY(check_room(image, device));
  // GRUB must not be told of a slot that is half written.
  TRY(change_environments([](const std::string& block) { return environment_with(block, "try", ""); }));
  const std::string written = TRY(copy_to_device(image, device, progress));
  const std::string wanted = sha256.empty() ? TRY(sha256_of_file(image)) : sha256;
  if (written != wanted) {
    return fail(ErrorCode::failed, fmt::format("slot {} holds {}, wanted is {}", running.other(), written, wanted),
                "nothing is changed: the host goes on starting from the slot it runs from");
  }
  return change_environments([&](const std::string& block) { return environment_with(block, "try", running.other()); });
}

Result<void> rollback_slot(const RunningSlot& running) {
  TRY(make_directories(work));
  TRY(run_command({.argv = {"lvchange", "--activate", "y", fmt::format("{}/slot-{}", running.group, running.other())},
                   .input = {}}));
  TRY(check_slot(slot_device(running, running.other())));
  return change_environments([&](const std::string& block) -> Result<std::string> {
    return environment_with(TRY(environment_with(block, "try", "")), "slot", running.other());
  });
}

std::vector<std::string> guest_faults(const HealthSources& sources) {
  const auto running = running_guests(sources.program);
  if (!running) {
    return {running.error().what};
  }
  std::vector<std::string> faults;
  for (const std::string& name : autostart_names(sources.root / "etc/xen/auto")) {
    if (std::ranges::find(*running, name) == running->end()) {
      faults.push_back(fmt::format("the guest {} does not run", name));
    }
  }
  return faults;
}

Result<std::vector<std::string>> host_faults(const RunningSlot& running, const HealthSources& sources) {
  std::vector<std::string> faults;
  if (!TRY(runs({"xenstore-exists", "/local/domain/0/name"}))) {
    faults.emplace_back("xenstored does not answer");
  }
  for (const std::string& bridge : bridges_of(sources.root)) {
    std::error_code ignored;
    if (!fs::exists(sources.root / "sys/class/net" / bridge / "bridge", ignored)) {
      faults.push_back(fmt::format("the bridge {} is not there", bridge));
    }
  }
  if (!TRY(runs({"lvs", running.group}))) {
    faults.push_back(fmt::format("the volume group {} cannot be read", running.group));
  }
  std::ranges::move(guest_faults(sources), std::back_inserter(faults));
  return faults;
}

Result<Settled> settle_slot(const RunningSlot& running, const std::function<std::vector<std::string>()>& look) {
  TRY(make_directories(work));
  if (TRY(known_slot()) == running.slot) {
    return Settled::known;
  }
  if (!look().empty()) {
    return Settled::refused;
  }
  TRY(change_environments([&](const std::string& block) { return environment_with(block, "slot", running.slot); }));
  return Settled::kept;
}

}  // namespace domsmith
