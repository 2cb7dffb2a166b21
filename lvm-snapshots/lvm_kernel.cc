#include "lvm-snapshots/lvm_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/text.h"
#include "lvm-snapshots/lvm_commands.h"
#include "lvm-snapshots/lvm_task.h"

namespace domsmith {

namespace {

struct Layered {
  std::string volume;
  std::string_view layer;  // empty: the volume's own device
};

// "vg0-web--1-real" of group "vg0" -> "web-1", "real"; nullopt: it is no device of that group.
std::optional<Layered> volume_of_device(std::string_view device, std::string_view group) {
  const auto behind = behind_group(device, group);
  if (!behind) {
    return std::nullopt;
  }
  std::string volume;
  const std::string_view rest = *behind;
  for (std::size_t at = 0; at < rest.size(); ++at) {
    if (rest[at] == '-') {
      if (at + 1 == rest.size() || rest[at + 1] != '-') {
        return Layered{std::move(volume), rest.substr(at + 1)};
      }
      ++at;
    }
    volume += rest[at];
  }
  return Layered{std::move(volume), {}};
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void add_status(LvmMapped& mapped, std::string_view type, const char* parameters, std::uint64_t length) {
  const StatusMemory memory(dm_pool_create("domsmith", 1024));
  dm_status_thin_pool* pool = nullptr;
  dm_status_thin* thin = nullptr;
  if (!memory) {
    return;
  }
  if (type == "thin-pool" && dm_get_status_thin_pool(memory.get(), parameters, &pool) != 0 && pool->fail == 0) {
    mapped.data_percent = percent(pool->used_data_blocks, pool->total_data_blocks);
    mapped.metadata_percent = percent(pool->used_metadata_blocks, pool->total_metadata_blocks);
  } else if (type == "thin" && dm_get_status_thin(memory.get(), parameters, &thin) != 0 && thin->fail == 0) {
    mapped.data_percent = percent(thin->mapped_sectors, length);
  }
}

// nullopt: it has gone meanwhile.
std::optional<LvmMapped> mapped_now(const std::string& device) {
  const Task task(dm_task_create(DM_DEVICE_STATUS));
  if (!task || dm_task_set_name(task.get(), device.c_str()) == 0 || dm_task_no_flush(task.get()) == 0) {
    return std::nullopt;
  }
  const auto target = first_target(task.get());
  if (!target) {
    return std::nullopt;
  }
  LvmMapped mapped{.open = target->open, .data_percent = {}, .metadata_percent = {}};
  if (target->type != nullptr && target->parameters != nullptr) {
    add_status(mapped, target->type, target->parameters, target->length);
  }
  return mapped;
}

}  // namespace

Result<LvmMappedVolumes> mapped_volumes(std::string_view group) {
  LvmMappedVolumes all;
  for (const std::string& device : TRY(mapped_names())) {
    auto layered = volume_of_device(device, group);
    if (!layered || (!layered->layer.empty() && layered->layer != "tpool")) {
      continue;
    }
    // A pool that is active by itself has a device of its own name as well, over the innermost.
    if (auto mapped = layered->layer.empty() && all.contains(layered->volume) ? std::nullopt : mapped_now(device)) {
      all.insert_or_assign(std::move(layered->volume), *mapped);
    }
  }
  return all;
}

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
    if (volume && check_name("volume name", volume->volume) && group.find(volume->volume) == nullptr) {
      left.push_back(device);
    }
  }
  std::ranges::sort(left);
  return left;
}

}  // namespace domsmith
