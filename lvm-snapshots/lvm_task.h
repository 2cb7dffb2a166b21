// A request to device-mapper (libdevmapper.h), ended with the object.
#pragma once

#include <libdevmapper.h>

#include <memory>

namespace domsmith {

struct EndTask {
  void operator()(dm_task* task) const { dm_task_destroy(task); }
};
using Task = std::unique_ptr<dm_task, EndTask>;

// What dm_get_status_…() puts its answers in.
struct EndPool {
  void operator()(dm_pool* pool) const { dm_pool_destroy(pool); }
};
using StatusMemory = std::unique_ptr<dm_pool, EndPool>;

}  // namespace domsmith
