// A request to device-mapper (libdevmapper.h), ended with the object.
#pragma once

#include <libdevmapper.h>

#include <cstdint>
#include <memory>
#include <optional>

namespace domsmith {

struct EndTask {
  void operator()(dm_task* task) const { dm_task_destroy(task); }
};
using Task = std::unique_ptr<dm_task, EndTask>;

// The first target of a device as the kernel tells of it; the texts are the task's.
struct FirstTarget {
  bool open = false;
  std::uint64_t length = 0;  // sectors
  const char* type = nullptr;
  const char* parameters = nullptr;
};

// Carries out a DM_DEVICE_STATUS that names its device. nullopt: there is no such device.
inline std::optional<FirstTarget> first_target(dm_task* task) {
  dm_info info{};
  if (dm_task_run(task) == 0 || dm_task_get_info(task, &info) == 0 || info.exists == 0) {
    return std::nullopt;
  }
  std::uint64_t start = 0;
  std::uint64_t length = 0;
  char* type = nullptr;
  char* parameters = nullptr;
  (void)dm_get_next_target(task, nullptr, &start, &length, &type, &parameters);
  return FirstTarget{.open = info.open_count > 0, .length = length, .type = type, .parameters = parameters};
}

// What dm_get_status_…() puts its answers in.
struct EndPool {
  void operator()(dm_pool* pool) const { dm_pool_destroy(pool); }
};
using StatusMemory = std::unique_ptr<dm_pool, EndPool>;

}  // namespace domsmith
