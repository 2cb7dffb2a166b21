#include "lvm-snapshots/lvm_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "lvm-snapshots/lvm_commands.h"
#include "lvm-snapshots/lvm_task.h"

namespace domsmith {

namespace {

// "vg0-web--1-real" of group "vg0" -> "web-1"; nullopt: it is no device of that group.
std::optional<std::string> volume_of_device(std::string_view device, std::string_view group) {
  const auto behind = behind_group(device, group);
  if (!behind) {
    return std::nullopt;
  }
  std::string volume;
  const std::string_view rest = *behind;
  for (std::size_t at = 0; at < rest.size(); ++at) {
    if (rest[at] == '-') {
      if (at + 1 == rest.size() || rest[at + 1] != '-') {
        break;  // what follows is the layer
      }
      ++at;
    }
    volume += rest[at];
  }
  return volume;
}

}  // namespace

Result<std::vector<std::string>> mapped_names() {
  const Task task(dm_task_create(DM_DEVICE_LIST));
  const dm_names* entry = task && dm_task_run(task.get()) != 0 ? dm_task_get_names(task.get()) : nullptr;
  if (entry == nullptr) {
    return fail(ErrorCode::failed, "cannot list the kernel's device-mapper devices", "try 'dmsetup ls'");
  }
  std::vector<std::string> names;
  if (entry->dev == 0) {  // the list is empty
    return names;
  }
  for (;;) {
    names.emplace_back(entry->name);
    if (entry->next == 0) {
      return names;
    }
    entry = reinterpret_cast<const dm_names*>(reinterpret_cast<const char*>(entry) + entry->next);
  }
}

std::vector<std::string> without_volume(std::span<const std::string> names, const LvmGroup& group) {
  std::vector<std::string> left;
  for (const std::string& device : names) {
    const auto volume = volume_of_device(device, group.name);
    if (volume && check_name("volume name", *volume) && group.find(*volume) == nullptr) {
      left.push_back(device);
    }
  }
  std::ranges::sort(left);
  return left;
}

}  // namespace domsmith
