#include "hypervisor/init/root.h"

#include <algorithm>

#include "imagebuild/boot/agent/init_cmdline.h"

namespace domsmith::host_init {
namespace {

std::string doubled(std::string_view name) {
  std::string text;
  for (const char c : name) {
    text += c == '-' ? "--" : std::string(1, c);
  }
  return text;
}

// lvm(8), "Valid names".
bool is_volume_name(std::string_view name) {
  return !name.empty() && name[0] != '-' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.+-").find(c) != std::string_view::npos;
  });
}

}  // namespace

std::optional<Wanted> read_wanted(std::string_view cmdline) {
  constexpr std::string_view group = "domsmith.group=";
  constexpr std::string_view slot = "domsmith.slot=";
  Wanted wanted;
  for (const std::string& word : agent::cmdline_words(cmdline)) {
    if (word == "domsmith.live") {
      wanted.live = true;
    } else if (word.starts_with(group)) {
      wanted.group = word.substr(group.size());
    } else if (word.starts_with(slot)) {
      wanted.slot = word.substr(slot.size());
    }
  }
  const bool installed = is_volume_name(wanted.group) && (wanted.slot == "a" || wanted.slot == "b");
  return wanted.live || installed ? std::optional(wanted) : std::nullopt;
}

std::string mapper_name(std::string_view group, std::string_view volume) {
  return doubled(group) + "-" + doubled(volume);
}

std::string mapper_path(std::string_view group, std::string_view volume) {
  return "/dev/mapper/" + mapper_name(group, volume);
}

}  // namespace domsmith::host_init
