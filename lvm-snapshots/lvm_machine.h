// What a batch (lvm_batch.h) needs of LVM and of the kernel. Tests have a machine that has neither.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "lvm-snapshots/lvm_group_reader.h"
#include "lvm-snapshots/lvm_library.h"
#include "lvm-snapshots/lvm_pool.h"
#include "lvm-snapshots/lvm_settings.h"

namespace domsmith {

class LvmMachine {
 public:
  virtual ~LvmMachine() = default;

  // LVM's locks of the group; they end with the value, and what LVM keeps of the metadata in files is brought up to
  // date by then. The next two work under them.
  virtual Result<std::shared_ptr<void>> lock() = 0;
  virtual Result<LvmTakenApart> read_metadata() = 0;
  // All of it or nothing, under the next sequence number. `seqno`: that of the text, which the group must still have;
  // busy where it has another.
  virtual Result<void> write_metadata(const std::string& text, std::uint64_t seqno) = 0;
  // What the text that was written last is made of, so that nobody needs to take it apart to know.
  virtual void made_of(const LvmTakenApart& /*parts*/) {}
  // The kernel's names of all devices that are there.
  virtual Result<std::vector<std::string>> mapped_names() = 0;

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
  virtual Result<void> map(const std::string& pool, const std::string& name, const std::string& uuid,
                           std::uint64_t sectors, std::uint32_t device) = 0;
  virtual Result<void> unmap(const std::string& name) = 0;

  // A command of LVM, which takes its own locks: not while lock() is held.
  virtual Result<void> run(const LvmCommand& command, const std::string& headline) = 0;
};

// This host. The metadata are read from the group's disks and written to them where all is as it should be (lvm_disk.h,
// lvm_disk_write.h); otherwise vgcfgbackup, vgs and vgcfgrestore run as programs, for liblvm2cmd forgets --nolocking
// once it has locked anything (lib/locking/locking.c: the table of lock functions stays).
class LvmHost final : public LvmMachine {
 public:
  using Run = std::function<Result<void>(const LvmCommand&, const std::string&)>;
  // `settings`: a file for lvm_settings().
  LvmHost(std::string group, std::shared_ptr<LvmGroupReader> reader, std::filesystem::path settings, Run run)
      : group_(std::move(group)), reader_(std::move(reader)), cache_(std::move(settings)), run_(std::move(run)) {}

  Result<std::shared_ptr<void>> lock() override;
  Result<LvmTakenApart> read_metadata() override;
  Result<void> write_metadata(const std::string& text, std::uint64_t seqno) override;
  void made_of(const LvmTakenApart& parts) override { reader_->made_of(parts); }
  Result<std::vector<std::string>> mapped_names() override;
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
  Result<void> map(const std::string& pool, const std::string& name, const std::string& uuid, std::uint64_t sectors,
                   std::uint32_t device) override;
  Result<void> unmap(const std::string& name) override;
  Result<void> run(const LvmCommand& command, const std::string& headline) override { return run_(command, headline); }

 private:
  Result<const LvmSettings*> settings();
  Result<void> archive(std::string_view committed);
  Result<void> write_by_lvm(const std::string& text, std::uint64_t seqno);
  void back_up();

  std::string group_;
  std::shared_ptr<LvmGroupReader> reader_;
  std::filesystem::path cache_;
  Run run_;
  std::optional<LvmSettings> settings_;
  // Since the lock was taken:
  bool archived_ = false;
  bool written_by_lvm_ = false;
  std::string written_;  // the last text
};

}  // namespace domsmith
