// An LVM and a thin pool of the kernel that are files in a folder, so that a process can be killed in the middle and
// the next one finds what it left. Keeps the rules that matter to a batch: a change of the metadata is all or nothing
// and raises seqno; a device number is there once; messages that are open are sent by LVM's next command, which gives
// up where a device is there already.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "lvm-snapshots/lvm_batch.h"
#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {

class LvmFake final : public LvmMachine {
 public:
  // `folder`: holds "metadata" and "pool"; both are made where they are not there: VG vg0 with thin pool `pool` and a
  // golden volume `gold`.
  explicit LvmFake(std::filesystem::path folder);

  Result<std::shared_ptr<void>> lock() override;
  Result<LvmTakenApart> read_metadata() override;
  Result<void> write_metadata(const std::string& text, std::uint64_t seqno) override;
  Result<std::vector<std::string>> mapped_names() override;
  Result<std::optional<ThinPoolState>> pool_state(const std::string& pool) override;
  Result<bool> create_snapshot(const std::string& pool, std::uint32_t device, std::uint32_t origin) override;
  Result<bool> create_device(const std::string& pool, std::uint32_t device) override;
  Result<bool> delete_device(const std::string& pool, std::uint32_t device) override;
  Result<std::set<std::uint32_t>> devices(const std::string& pool, const std::string& pool_metadata) override;
  Result<std::vector<std::uint64_t>> differences(const std::string& pool, const std::string& pool_metadata,
                                                 DevicePairs pairs) override;
  Result<void> release(const std::string& pool) override;
  Result<void> set_transaction(const std::string& pool, std::uint64_t from, std::uint64_t to) override;
  Result<void> map(const std::string&, const std::string&, const std::string&, std::uint64_t, std::uint32_t) override {
    return fail(ErrorCode::unsupported, "there are no devices");
  }
  Result<void> unmap(const std::string&) override { return {}; }
  // lvcreate -s and lvremove of one thin volume, in the steps of LVM: metadata with the message, message and
  // transaction number, metadata without it. Fail points "fake.written" and "fake.sent" stand between them. Before it,
  // messages that a batch left open.
  Result<void> run(const LvmCommand& command, const std::string& headline) override;

  // What is there: volume -> what its device was made from ("gold 3" is the third snapshot ever made of device gold).
  [[nodiscard]] std::map<std::string, std::string> volumes() const;
  // Devices of the pool that no volume has, and volumes without their device; empty when all is well.
  [[nodiscard]] std::string disorder() const;
  [[nodiscard]] LvmMetadata metadata() const;
  [[nodiscard]] std::set<ThinDeviceId> device_ids() const;
  void add_foreign_device(ThinDeviceId id);
  void raise_seqno();  // somebody who does not keep the lock
  bool active = true;
  std::vector<std::string> mapped;  // what mapped_names() says

 private:
  struct Pool {
    std::uint64_t transaction = 0;
    std::uint64_t made = 0;                       // ever
    bool held = false;                            // its metadata
    std::map<ThinDeviceId, std::string> devices;  // -> what it was made from
  };
  [[nodiscard]] Pool load() const;
  Result<void> save(const Pool& pool) const;
  Result<void> native(LvmMetadata changed, const LvmConfigNode& message);
  Result<void> send_open_messages();
  Result<bool> add(std::uint32_t device, const std::string& from);
  std::filesystem::path folder_;
};

}  // namespace domsmith::testing
