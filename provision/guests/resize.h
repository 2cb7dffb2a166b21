// `domsmith guest resize`: a guest's disk longer or shorter, volume and ext4, while it does not run. A growing volume
// grows before its file system, a shrinking one after it.
//
//   journal steps: mark | commit, then volume and file system, ready
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/progress.h"
#include "provision/guests/batch.h"
#include "provision/workplace.h"

namespace domsmith {

struct ResizePlan {
  GuestRecord guest;
  VolumeInfo volume;  // as it is now
  std::uint64_t size = 0;
  std::vector<std::string> commands;
};

// bad_input: not whole MiB, or nothing to do. not_found: the volume.
Result<ResizePlan> plan_resize(VolumeStore& store, const GuestRecord& guest, std::uint64_t size);
std::string plan_text(const ResizePlan& plan);
nlohmann::json plan_json(const ResizePlan& plan);

// busy: it runs. no_space: its files do not fit (said before anything is changed), or the store is full. unsupported:
// a volume without a device of its own (memory:), a classic snapshot.
Result<void> resize_guest(Workplace& place, const GuestRecord& guest, std::uint64_t size, const RunningNames& running,
                          Progress& progress);

// Of an operation "resize" that died. The caller ends it.
Result<void> recover_resize(Workplace& place, Operation& operation, Progress& progress);

}  // namespace domsmith
