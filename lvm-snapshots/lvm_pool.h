// Messages to a thin pool of the kernel, past LVM (Documentation/admin-guide/device-mapper/thin-provisioning.rst), by
// libdevmapper. A pool is named by its device-mapper UUID. The kernel commits the pool's metadata after each message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace domsmith {

struct ThinPoolState {
  std::uint64_t transaction_id = 0;
  std::string trouble;  // why it takes no messages now; empty: it does
};

// nullopt: there is no such device, so the pool is not active.
Result<std::optional<ThinPoolState>> thin_pool_state(const std::string& uuid);

// A snapshot `device` of `origin`, which is not active. false: the pool has a device of that number already.
Result<bool> thin_pool_create_snapshot(const std::string& uuid, std::uint32_t device, std::uint32_t origin);
// A new empty device; false as above.
Result<bool> thin_pool_create(const std::string& uuid, std::uint32_t device);
// false: there was none of that number.
Result<bool> thin_pool_delete(const std::string& uuid, std::uint32_t device);
// A snapshot of the pool's metadata, which thin_ls(8) can read while the pool works. There is one at most: busy.
Result<void> thin_pool_hold_metadata(const std::string& uuid);
Result<void> thin_pool_release_metadata(const std::string& uuid);
Result<void> thin_pool_set_transaction(const std::string& uuid, std::uint64_t from, std::uint64_t to);

// A device on one of the pool's volumes, as LVM makes it, but that udev is told to do nothing with it: its node in
// /dev/mapper is all that there is. `sectors`: its length. `udev`: it has rules for devices of device-mapper, and would
// open this one (LvmSettings::udev_sync); without them nobody would end the wait for it.
Result<void> map_thin_device(const std::string& pool_uuid, const std::string& name, const std::string& uuid,
                             std::uint64_t sectors, std::uint32_t device, bool udev);
Result<void> unmap_device(const std::string& name, bool udev);

// "/dev/mapper/vg0-pool_tmeta"; not_found.
Result<std::string> mapped_device(const std::string& uuid);

}  // namespace domsmith
