// An InstallPlan for people and for programs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "hypervisor/answer/install_plan.h"

namespace domsmith {
namespace {

std::string network_text(const AnswerNetwork& network) {
  std::string text = fmt::format("  {}: ", network.name);
  text += network.macs.empty() ? "the only card" : join(network.macs, " + ");
  if (!network.bond_mode.empty()) {
    text += fmt::format(", bond {}", network.bond_mode);
  }
  if (network.vlan != 0) {
    text += fmt::format(", VLAN {}", network.vlan);
  }
  text += network.dhcp ? ", DHCP" : ", " + join(network.addresses, ", ");
  if (!network.gateways.empty()) {
    text += " by " + join(network.gateways, ", ");
  }
  return text + "\n";
}

std::string disk_plan_text(const PlannedDisk& planned) {
  std::string text = fmt::format("disk {}\n", disk_text(planned.disk));
  text += fmt::format("  holds {}\n", holdings_text(planned.disk));
  for (const EraseStep& step : planned.erase) {
    text += fmt::format("  erase   {}: {}\n", step.target, step.what);
  }
  for (const PlannedPartition& part : planned.partitions) {
    text += fmt::format("  make    partition {} {}, {} at {}\n", part.number, part.name, size_text(part.size),
                        size_text(part.start));
  }
  return text;
}

nlohmann::json disk_plan_json(const PlannedDisk& planned) {
  nlohmann::json erase = nlohmann::json::array();
  for (const EraseStep& step : planned.erase) {
    erase.push_back({{"target", step.target}, {"what", step.what}});
  }
  nlohmann::json partitions = nlohmann::json::array();
  for (const PlannedPartition& part : planned.partitions) {
    partitions.push_back({{"number", part.number},
                          {"name", part.name},
                          {"type", part.type},
                          {"start", part.start},
                          {"size", part.size}});
  }
  return {{"path", planned.disk.path}, {"serial", planned.disk.serial}, {"erase", erase}, {"partitions", partitions}};
}

}  // namespace

std::string install_plan_text(const InstallPlan& plan) {
  std::string text = fmt::format("install {} ({} firmware)\n", plan.host, plan.uefi ? "UEFI" : "BIOS");
  for (const PlannedDisk& disk : plan.disks) {
    text += disk_plan_text(disk);
  }
  if (!plan.array.empty()) {
    text += fmt::format("array {}: RAID 1 of the third partitions\n", plan.array);
  }
  text += fmt::format("volume group {}\n", plan.volume_group);
  for (const PlannedVolume& volume : plan.volumes) {
    text += fmt::format("  make    {}, {}: {}\n", volume.name, size_text(volume.size), volume.what);
  }
  if (!plan.firmware.empty()) {
    text += "firmware\n";
  }
  for (const std::string& title : plan.firmware) {
    text += fmt::format("  make    the entry '{}', before all others\n", title);
  }
  text += "network\n";
  for (const AnswerNetwork& network : plan.networks) {
    text += network_text(network);
  }
  return text;
}

nlohmann::json install_plan_json(const InstallPlan& plan) {
  nlohmann::json document{{"host", plan.host},
                          {"firmware", plan.uefi ? "uefi" : "bios"},
                          {"disks", nlohmann::json::array()},
                          {"array", plan.array},
                          {"volume_group", plan.volume_group},
                          {"volumes", nlohmann::json::array()},
                          {"networks", nlohmann::json::array()},
                          {"firmware_entries", plan.firmware}};
  for (const PlannedDisk& disk : plan.disks) {
    document["disks"].push_back(disk_plan_json(disk));
  }
  for (const PlannedVolume& volume : plan.volumes) {
    document["volumes"].push_back({{"name", volume.name}, {"size", volume.size}});
  }
  for (const AnswerNetwork& network : plan.networks) {
    document["networks"].push_back({{"bridge", network.name},
                                    {"macs", network.macs},
                                    {"bond", network.bond_mode},
                                    {"vlan", network.vlan},
                                    {"dhcp", network.dhcp},
                                    {"addresses", network.addresses},
                                    {"gateways", network.gateways},
                                    {"dns", network.dns}});
  }
  return document;
}

}  // namespace domsmith
