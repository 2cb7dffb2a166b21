#include "lvm-snapshots/lvm_pool.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "lvm-snapshots/lvm_task.h"

namespace domsmith {

namespace {

std::unexpected<Error> no_task(const std::string& uuid) {
  return fail(ErrorCode::failed, fmt::format("cannot ask device-mapper about {}", uuid));
}

Result<Task> task_for(int kind, const std::string& uuid) {
  Task task(dm_task_create(kind));
  if (!task || dm_task_set_uuid(task.get(), uuid.c_str()) == 0) {
    return no_task(uuid);
  }
  return task;
}

// `accepted`: the error number that is an answer, not a failure.
Result<bool> send(const std::string& uuid, const std::string& message, int accepted) {
  const Task task = TRY(task_for(DM_DEVICE_TARGET_MSG, uuid));
  if (dm_task_set_sector(task.get(), 0) == 0 || dm_task_set_message(task.get(), message.c_str()) == 0) {
    return no_task(uuid);
  }
  if (dm_task_run(task.get()) != 0) {
    return true;
  }
  const int error = dm_task_get_errno(task.get());
  if (accepted != 0 && error == accepted) {
    return false;
  }
  return fail_errno(fmt::format("the thin pool {} refuses '{}'", uuid, message), error,
                    "'dmesg' has the kernel's own words");
}

std::string trouble_of(const dm_status_thin_pool& status) {
  if (status.fail != 0 || status.error != 0) {
    return "the pool has failed";
  }
  if (status.needs_check != 0) {
    return "the pool needs a check (lvconvert --repair)";
  }
  if (status.read_only != 0) {
    return "the pool is read-only";
  }
  return status.out_of_data_space != 0 ? "the pool has no room for data" : "";
}

}  // namespace

Result<std::optional<ThinPoolState>> thin_pool_state(const std::string& uuid) {
  const Task task = TRY(task_for(DM_DEVICE_STATUS, uuid));
  const auto target = first_target(task.get());
  if (!target) {
    return std::optional<ThinPoolState>();
  }
  const StatusMemory memory(dm_pool_create("domsmith", 1024));
  dm_status_thin_pool* status = nullptr;
  if (target->type == nullptr || std::strcmp(target->type, "thin-pool") != 0 || !memory ||
      dm_get_status_thin_pool(memory.get(), target->parameters, &status) == 0) {
    return fail(ErrorCode::failed, fmt::format("cannot read the state of the thin pool {}", uuid));
  }
  return ThinPoolState{status->transaction_id, trouble_of(*status)};
}

Result<bool> thin_pool_create_snapshot(const std::string& uuid, std::uint32_t device, std::uint32_t origin) {
  return send(uuid, fmt::format("create_snap {} {}", device, origin), EEXIST);
}

Result<bool> thin_pool_create(const std::string& uuid, std::uint32_t device) {
  return send(uuid, fmt::format("create_thin {}", device), EEXIST);
}

Result<bool> thin_pool_delete(const std::string& uuid, std::uint32_t device) {
  return send(uuid, fmt::format("delete {}", device), ENODATA);
}

Result<void> thin_pool_hold_metadata(const std::string& uuid) {
  if (!TRY(send(uuid, "reserve_metadata_snap", EBUSY))) {
    return fail(ErrorCode::busy, "somebody has a snapshot of the pool's metadata");
  }
  return {};
}

Result<void> thin_pool_release_metadata(const std::string& uuid) {
  TRY(send(uuid, "release_metadata_snap", EINVAL));  // EINVAL: there is none
  return {};
}

Result<void> thin_pool_set_transaction(const std::string& uuid, std::uint64_t from, std::uint64_t to) {
  TRY(send(uuid, fmt::format("set_transaction_id {} {}", from, to), 0));
  return {};
}

namespace {

// Carried out with a cookie that tells udev's rules to leave the device alone (10-dm.rules, 55-dm.rules: otherwise they
// would open it, and link it below /dev/VG), and waits until udev has seen it. libdevmapper makes and removes the node.
Result<void> run_quietly(dm_task* task, bool udev, const std::string& headline, const char* remedy) {
  if (!udev) {
    if (dm_task_run(task) == 0) {
      return fail_errno(headline, dm_task_get_errno(task), remedy);
    }
    dm_task_update_nodes();
    return {};
  }
  std::uint32_t cookie = 0;
  const std::uint16_t flags = DM_UDEV_DISABLE_DM_RULES_FLAG | DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |
                              DM_UDEV_DISABLE_DISK_RULES_FLAG | DM_UDEV_DISABLE_OTHER_RULES_FLAG;
  if (dm_task_set_cookie(task, &cookie, flags) == 0) {
    return fail(ErrorCode::failed, headline);
  }
  const bool done = dm_task_run(task) != 0;
  const int error = dm_task_get_errno(task);
  (void)dm_udev_wait(cookie);  // in any case: it ends the cookie
  return done ? Result<void>() : fail_errno(headline, error, remedy);
}

}  // namespace

Result<void> map_thin_device(const std::string& pool_uuid, const std::string& name, const std::string& uuid,
                             std::uint64_t sectors, std::uint32_t device, bool udev) {
  const Task asked = TRY(task_for(DM_DEVICE_INFO, pool_uuid));
  dm_info pool{};
  if (dm_task_run(asked.get()) == 0 || dm_task_get_info(asked.get(), &pool) == 0 || pool.exists == 0) {
    return fail(ErrorCode::not_found, fmt::format("there is no device {}", pool_uuid));
  }
  const Task task(dm_task_create(DM_DEVICE_CREATE));
  const std::string table = fmt::format("{}:{} {}", pool.major, pool.minor, device);
  if (!task || dm_task_set_name(task.get(), name.c_str()) == 0 || dm_task_set_uuid(task.get(), uuid.c_str()) == 0 ||
      dm_task_add_target(task.get(), 0, sectors, "thin", table.c_str()) == 0) {
    return no_task(uuid);
  }
  return run_quietly(task.get(), udev, fmt::format("cannot make the device {}", name),
                     "'dmesg' has the kernel's own words");
}

Result<void> unmap_device(const std::string& name, bool udev) {
  const Task task(dm_task_create(DM_DEVICE_REMOVE));
  if (!task || dm_task_set_name(task.get(), name.c_str()) == 0 || dm_task_retry_remove(task.get()) == 0) {
    return no_task(name);
  }
  return run_quietly(task.get(), udev, fmt::format("cannot remove the device {}", name),
                     "find out who has it open: dmsetup info");
}

Result<std::string> mapped_device(const std::string& uuid) {
  const Task task = TRY(task_for(DM_DEVICE_INFO, uuid));
  const char* name = dm_task_run(task.get()) != 0 ? dm_task_get_name(task.get()) : nullptr;
  if (name == nullptr || *name == '\0') {
    return fail(ErrorCode::not_found, fmt::format("there is no device {}", uuid));
  }
  return fmt::format("{}/{}", dm_dir(), name);
}

}  // namespace domsmith
