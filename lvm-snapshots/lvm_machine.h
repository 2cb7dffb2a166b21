// What a batch (lvm_batch.h) needs of LVM and of the kernel. Tests have a machine that has neither.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "lvm-snapshots/lvm_library.h"
#include "lvm-snapshots/lvm_pool.h"

namespace domsmith {

class LvmMachine {
 public:
  virtual ~LvmMachine() = default;

  // LVM's locks of the group; they end with the value. The next three work under them.
  virtual Result<std::shared_ptr<void>> lock() = 0;
  virtual Result<std::string> read_metadata() = 0;
  virtual Result<std::uint64_t> seqno() = 0;
  virtual Result<void> write_metadata(const std::string& text) = 0;  // all of it or nothing; LVM raises seqno

  // lvm_pool.h
  virtual Result<std::optional<ThinPoolState>> pool_state(const std::string& pool) = 0;
  virtual Result<bool> create_snapshot(const std::string& pool, std::uint32_t device, std::uint32_t origin) = 0;
  virtual Result<bool> create_device(const std::string& pool, std::uint32_t device) = 0;
  virtual Result<bool> delete_device(const std::string& pool, std::uint32_t device) = 0;
  // Every device of the pool, LVM's or not. not_found, busy: it cannot be told now. A crash may leave a hold on the
  // pool's metadata, which release() ends.
  virtual Result<std::set<std::uint32_t>> devices(const std::string& pool, const std::string& pool_metadata) = 0;
  // For each pair of devices, bytes in blocks that they do not share. Refusals and crashes as above.
  using DevicePairs = std::span<const std::pair<std::uint32_t, std::uint32_t>>;
  virtual Result<std::vector<std::uint64_t>> differences(const std::string& pool, const std::string& pool_metadata,
                                                         DevicePairs pairs) = 0;
  virtual Result<void> release(const std::string& pool) = 0;
  virtual Result<void> set_transaction(const std::string& pool, std::uint64_t from, std::uint64_t to) = 0;

  // A command of LVM, which takes its own locks: not while lock() is held.
  virtual Result<void> run(const LvmCommand& command, const std::string& headline) = 0;
};

// This host. vgcfgbackup, vgs and vgcfgrestore run as programs, for liblvm2cmd forgets --nolocking once it has locked
// anything (lib/locking/locking.c: the table of lock functions stays).
class LvmHost final : public LvmMachine {
 public:
  using Run = std::function<Result<void>(const LvmCommand&, const std::string&)>;
  LvmHost(std::string group, Run run) : group_(std::move(group)), run_(std::move(run)) {}

  Result<std::shared_ptr<void>> lock() override;
  Result<std::string> read_metadata() override;
  Result<std::uint64_t> seqno() override;
  Result<void> write_metadata(const std::string& text) override;
  Result<std::optional<ThinPoolState>> pool_state(const std::string& pool) override { return thin_pool_state(pool); }
  Result<bool> create_snapshot(const std::string& pool, std::uint32_t device, std::uint32_t origin) override {
    return thin_pool_create_snapshot(pool, device, origin);
  }
  Result<bool> create_device(const std::string& pool, std::uint32_t device) override {
    return thin_pool_create(pool, device);
  }
  Result<bool> delete_device(const std::string& pool, std::uint32_t device) override {
    return thin_pool_delete(pool, device);
  }
  Result<std::set<std::uint32_t>> devices(const std::string& pool, const std::string& pool_metadata) override;
  Result<std::vector<std::uint64_t>> differences(const std::string& pool, const std::string& pool_metadata,
                                                 DevicePairs pairs) override;
  Result<void> release(const std::string& pool) override { return thin_pool_release_metadata(pool); }
  Result<void> set_transaction(const std::string& pool, std::uint64_t from, std::uint64_t to) override {
    return thin_pool_set_transaction(pool, from, to);
  }
  Result<void> run(const LvmCommand& command, const std::string& headline) override { return run_(command, headline); }

 private:
  std::string group_;
  Run run_;
  std::string locking_directory_;  // empty: not asked yet
};

}  // namespace domsmith
