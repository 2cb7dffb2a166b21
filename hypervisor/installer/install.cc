#include "hypervisor/installer/install.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/file.h"
#include "base/journal.h"
#include "base/json_text.h"
#include "hypervisor/boot/boot_code.h"
#include "hypervisor/boot/environment.h"
#include "hypervisor/boot/menu.h"
#include "hypervisor/installer/commands.h"
#include "hypervisor/installer/firmware_entry.h"
#include "hypervisor/installer/host_files.h"
#include "hypervisor/installer/live_inventory.h"
#include "hypervisor/installer/machine.h"
#include "hypervisor/installer/partition_table.h"
#include "lvm-snapshots/lvm_library.h"
#include "lvm-snapshots/store.h"
#include "provision/cli/paths.h"
#include "provision/identity/identity.h"
#include "provision/images/transfer.h"
#include "provision/workplace.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Installation {
 public:
  struct Step {
    std::string_view name;
    unsigned usual;  // as in InstallStep
    Result<void> (Installation::*act)();
  };
  static const Step steps[9];

  Installation(const InstallRequest& request, const InstallSources& sources, RandomSource& random, Report& report,
               Progress& progress)
      : request_(request),
        plan_(request.plan),
        sources_(sources),
        random_(random),
        report_(report),
        progress_(progress) {}

  Result<json> run() {
    TRY(check_images());
    Operation operation = TRY(Journal(sources_.work / "journal").begin("install", install_plan_json(plan_)));
    constexpr std::size_t count = std::size(steps);
    progress_.begin("install", count, "steps");
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name(steps[i].name);
      progress_.note(fmt::format("step {} of {}: {}", i + 1, count, name));
      report_.step(i + 1, count, name);
      TRY_AS(operation.perform(name, json::object(), [&] { return (this->*steps[i].act)(); }),
             fmt::format("the installation stopped at step {} of {}, {}", i + 1, count, name));
      progress_.advance("install", i + 1, count, "steps");
    }
    TRY(operation.finish());
    progress_.end("install");
    return receipt_;
  }

 private:
  // An answer file that did not come with the medium may ask for what is not on it; the first start would be too late
  // to say so.
  Result<void> check_images() {
    const json medium = TRY(medium_facts());
    for (const AnswerGuests& guests : request_.answer.guests) {
      if (!medium["images"].contains(guests.image)) {
        return fail(ErrorCode::not_found,
                    fmt::format("the medium carries no image '{}', of which there are to be guests", guests.image),
                    "make a medium that does: domsmith iso build --recipe RECIPE");
      }
    }
    return {};
  }

  Result<void> erase() {
    for (const PlannedDisk& disk : plan_.disks) {
      for (const EraseStep& step : disk.erase) {
        if (step.kind == EraseKind::array) {
          TRY(stop_arrays_on(disk.disk.path));
        }
        for (const InstallCommand& command : erase_commands(step)) {
          TRY(run_command(command));
        }
      }
    }
    return {};
  }

  Result<void> partition() {
    for (std::size_t i = 0; i < plan_.disks.size(); ++i) {
      for (std::size_t part = 0; part < plan_.disks[i].partitions.size(); ++part) {
        partition_guids_.push_back(random_uuid(random_));
      }
      TRY(write_table(i, unfinished_guid(i)));
      TRY(read_partitions_again(plan_.disks[i].disk.path));
      TRY(run_command(clear_command(plan_.disks[i])));
    }
    return plan_.array.empty() ? Result<void>() : run_command(array_command(plan_));
  }

  Result<void> make_volumes() {
    // Inside this process: a program for each command would read itself and all devices anew.
    const std::shared_ptr<LvmLibrary> lvm = TRY(LvmLibrary::get());
    for (const InstallCommand& command : volume_commands(plan_)) {
      if (LvmOutcome outcome = lvm->run(command.argv); !outcome.success) {
        auto failed = fail(ErrorCode::failed, fmt::format("'{}' failed", command_text(command.argv)));
        failed.error().causes = std::move(outcome.errors);
        return failed;
      }
    }
    return {};
  }

  Result<void> write_slot() {
    const fs::path slot = sources_.medium / "domsmith/slot.squashfs";
    const std::string hash = TRY(copy_to_device(slot, volume_path(plan_, "slot-a"), progress_));
    const json medium = TRY(medium_facts());
    const std::string wanted = medium["slot"].value("sha256", "");
    if (hash != wanted) {
      return fail(ErrorCode::failed,
                  fmt::format("the slot on the disk has the hash {}, the medium's is {}", hash, wanted),
                  "check the medium, then the disk");
    }
    receipt_["slot"] = medium["slot"];
    return {};
  }

  Result<void> write_state() {
    TRY(run_command(state_command(plan_)));
    TRY(mount_device(volume_path(plan_, "state"), sources_.target, "ext4"));
    // What /init lays over the slot (hypervisor/init): these folders hold what differs.
    for (const char* folder : {"etc", "var", "root"}) {
      TRY(make_directories(sources_.target / folder, std::string_view(folder) == "root" ? 0700 : 0755));
    }
    for (const auto& [path, file] : host_files(request_.answer, plan_, request_.cards, random_)) {
      TRY(write_file_atomic(sources_.target / "etc" / path, file.content, file.mode));
    }
    // The medium runs the slot that was written: its accounts are the host's.
    const std::string& hash = request_.answer.host.console_password;
    return hash.empty() ? Result<void>()
                        : write_file_atomic(sources_.target / "etc/shadow",
                                            shadow_with_root(TRY(read_file("/etc/shadow")), hash), 0600);
  }

  Result<void> import_images() {
    const json medium = TRY(medium_facts());
    for (const auto& [name, facts] : medium["images"].items()) {
      const fs::path folder = sources_.work / "image";
      TRY(mount_file(sources_.medium / "domsmith/images" / (name + ".squashfs"), folder, "squashfs"));
      const auto imported = import_one(folder);
      TRY(unmount(folder));
      TRY(imported);
      receipt_["images"][name] = facts;
    }
    return {};
  }

  // Into the new host's own registry and pool.
  Result<void> import_one(const fs::path& exported) {
    const Paths paths{.root = sources_.target};
    Registry registry = TRY(Registry::open(paths.registry()));
    Workplace place{registry, Journal(paths.journal()), paths.state(), paths.boot(), paths.xen(), open_store};
    const auto store = TRY(open_store(fmt::format("lvm:{}/{}", plan_.volume_group, request_.answer.storage.pool)));
    TRY(import_exported(place, *store, exported, progress_));
    return {};
  }

  Result<void> write_boot() {
    const fs::path boot = sources_.medium / "domsmith/boot";
    const BootCode code{.boot = TRY(read_file(boot / "boot.img")), .core = TRY(read_file(boot / "core.img"))};
    for (const PlannedDisk& disk : plan_.disks) {
      TRY(run_command(esp_command(disk)));
      const fs::path esp = sources_.work / "esp";
      TRY(mount_device(partition_path(disk.disk.path, 2), esp, "vfat"));
      TRY(write_file_atomic(esp / "EFI/BOOT/BOOTX64.EFI", TRY(read_file(boot / "BOOTX64.EFI"))));
      TRY(write_file_atomic(esp / "grub/grub.cfg",
                            host_menu({.volume_group = plan_.volume_group, .xen = request_.answer.xen})));
      TRY(write_file_atomic(esp / "grub/grubenv", fresh_environment()));
      TRY(unmount(esp));
      const auto whole = TRY(open_block_target(disk.disk.path, Access::read_write));
      const PlannedPartition& bios = disk.partitions.front();
      TRY(write_boot_code(*whole, code, bios.start, bios.size));
    }
    if (plan_.uefi) {
      tell_firmware();
    }
    return {};
  }

  // A firmware that takes no entry starts the removable path, \EFI\BOOT\BOOTX64.EFI, all the same. The first disk's
  // entry comes last, and so first in the order.
  void tell_firmware() {
    receipt_["firmware"] = json::array();
    if (const auto ready = mount_firmware_variables(); !ready) {
      progress_.warning("the firmware takes no entry for this host: " + ready.error().what);
      return;
    }
    for (std::size_t i = plan_.disks.size(); i-- > 0;) {
      const std::vector<PlannedPartition>& partitions = plan_.disks[i].partitions;
      const PlannedPartition& esp = partitions[1];
      const FirmwareEntry entry{.title = plan_.firmware[i],
                                .partition = esp.number,
                                .start = esp.start,
                                .size = esp.size,
                                .guid = partition_guids_[i * partitions.size() + 1],
                                .program = "\\EFI\\BOOT\\BOOTX64.EFI"};
      if (const auto name = add_firmware_entry(entry); name) {
        receipt_["firmware"].push_back({{"entry", *name}, {"title", entry.title}});
      } else {
        progress_.warning(fmt::format("the firmware takes no entry for this host: {}", name.error().what));
      }
    }
  }

  Result<void> write_receipt() {
    receipt_["schema"] = 1;
    receipt_["host"] = plan_.host;
    receipt_["installed"] = utc_text(system_clock().now());
    receipt_["layout"] = install_plan_json(plan_);
    return write_file_atomic(sources_.target / "var/lib/domsmith/receipt.json", json_text(receipt_));
  }

  Result<void> finish() {
    TRY(unmount(sources_.target));
    for (std::size_t i = 0; i < plan_.disks.size(); ++i) {
      TRY(write_table(i, random_uuid(random_)));
    }
    ::sync();
    return {};
  }

  // The partitions keep their own GUIDs when the disk gets its last one.
  Result<void> write_table(std::size_t number, const std::string& guid) {
    const std::vector<PlannedPartition>& partitions = plan_.disks[number].partitions;
    const auto from = partition_guids_.begin() + static_cast<std::ptrdiff_t>(number * partitions.size());
    const auto disk = TRY(open_block_target(plan_.disks[number].disk.path, Access::read_write));
    return write_partition_table(*disk, partitions, guid,
                                 {from, from + static_cast<std::ptrdiff_t>(partitions.size())});
  }

  Result<json> medium_facts() {
    const std::string text = TRY(read_file(sources_.medium / "domsmith/medium.json"));
    json document = json::parse(text, nullptr, false);
    if (!document.is_object() || !document["slot"].is_object() || !document["images"].is_object()) {
      return fail(ErrorCode::bad_input, "the medium's medium.json is damaged",
                  "make the medium again: domsmith iso build");
    }
    return document;
  }

  const InstallRequest& request_;
  const InstallPlan& plan_;
  const InstallSources& sources_;
  RandomSource& random_;
  Report& report_;
  Progress& progress_;
  std::vector<std::string> partition_guids_;  // of all disks, one after the other
  json receipt_ = {{"images", json::object()}};
};

constexpr Installation::Step Installation::steps[] = {
    {"erase", 1, &Installation::erase},           {"partition", 2, &Installation::partition},
    {"volumes", 10, &Installation::make_volumes}, {"slot", 2, &Installation::write_slot},
    {"state", 1, &Installation::write_state},     {"images", 30, &Installation::import_images},
    {"boot", 1, &Installation::write_boot},       {"receipt", 1, &Installation::write_receipt},
    {"finish", 1, &Installation::finish}};

}  // namespace

std::vector<InstallStep> install_steps() {
  std::vector<InstallStep> steps;
  for (const Installation::Step& step : Installation::steps) {
    steps.push_back({.name = std::string(step.name), .usual = step.usual});
  }
  return steps;
}

Result<json> install(const InstallRequest& request, const InstallSources& sources, RandomSource& random, Report& report,
                     Progress& progress) {
  return Installation(request, sources, random, report, progress).run();
}

}  // namespace domsmith
