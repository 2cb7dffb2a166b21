#include "hypervisor/installer/commands.h"

#include <fmt/format.h>

namespace domsmith {
namespace {

std::string bytes_of(std::uint64_t size) { return fmt::format("{}b", size); }

// Old signatures inside of a new volume are no question: the erase guard has asked it.
std::vector<std::string> lvcreate(const InstallPlan& plan, const PlannedVolume& volume) {
  std::vector<std::string> argv{"lvcreate", "--yes"};
  if (volume.metadata == 0) {
    argv.insert(argv.end(), {"--wipesignatures", "y"});
  } else {  // lvcreate(8) knows no signatures of a pool
    argv.insert(argv.end(), {"--type", "thin-pool", "--poolmetadatasize", bytes_of(volume.metadata),
                             "--poolmetadataspare", "y", "--zero", "y", "--discards", "passdown"});
  }
  argv.insert(argv.end(), {"--size", bytes_of(volume.size), "--name", volume.name, plan.volume_group});
  return argv;
}

}  // namespace

std::string partition_path(const std::string& disk, unsigned number) {
  const bool digit = !disk.empty() && disk.back() >= '0' && disk.back() <= '9';
  return fmt::format("{}{}{}", disk, digit ? "p" : "", number);
}

std::string volume_path(const InstallPlan& plan, const std::string& volume) {
  return fmt::format("/dev/{}/{}", plan.volume_group, volume);
}

std::string group_device(const InstallPlan& plan) {
  return plan.array.empty() ? partition_path(plan.disks.front().disk.path, 3) : plan.array;
}

std::vector<InstallCommand> erase_commands(const EraseStep& step) {
  switch (step.kind) {
    case EraseKind::group:
      return {{.argv = {"vgchange", "--activate", "n", step.target}, .input = {}, .may_fail = true}};
    case EraseKind::array:
      return {};  // by its members: the executor asks sysfs which array they are in now
    default:
      return {{.argv = {"wipefs", "--all", "--force", step.target}, .input = {}}};
  }
}

InstallCommand clear_command(const PlannedDisk& disk) {
  InstallCommand command{.argv = {"wipefs", "--all", "--force"}, .input = {}};
  for (const PlannedPartition& part : disk.partitions) {
    command.argv.push_back(partition_path(disk.disk.path, part.number));
  }
  return command;
}

InstallCommand array_command(const InstallPlan& plan) {
  InstallCommand command{
      .argv = {"mdadm", "--create", plan.array, "--run", "--level=1", "--metadata=1.2", "--bitmap=internal",
               "--homehost=any", "--name=domsmith", fmt::format("--raid-devices={}", plan.disks.size())},
      .input = {}};
  for (const PlannedDisk& disk : plan.disks) {
    command.argv.push_back(partition_path(disk.disk.path, 3));
  }
  return command;
}

std::vector<InstallCommand> volume_commands(const InstallPlan& plan) {
  const std::string device = group_device(plan);
  std::vector<InstallCommand> commands{
      {.argv = {"pvcreate", "--yes", "-ff", "--metadatasize", bytes_of(group_metadata), device}, .input = {}},
      {.argv = {"vgcreate", "--yes", plan.volume_group, device}, .input = {}}};
  for (const PlannedVolume& volume : plan.volumes) {
    commands.push_back({.argv = lvcreate(plan, volume), .input = {}});
  }
  return commands;
}

InstallCommand state_command(const InstallPlan& plan) {
  return {.argv = {"mkfs.ext4", "-q", "-F", "-L", "domsmith-state", volume_path(plan, "state")}, .input = {}};
}

InstallCommand esp_command(const PlannedDisk& disk) {
  return {.argv = {"mkfs.vfat", "-n", "DOMSMITHEFI", partition_path(disk.disk.path, 2)}, .input = {}};
}

}  // namespace domsmith
