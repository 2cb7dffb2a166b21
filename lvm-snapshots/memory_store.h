// A store in memory, for tests and simulations: the same rules as the others, no device.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "lvm-snapshots/store.h"

namespace domsmith {

struct MemoryVolume;

// What stores of one name share: the in-memory twin of a disk.
struct MemoryDisk {
  std::string name;
  std::mutex mutex;  // guards the map and, of each volume, all but its pages
  std::map<std::string, std::shared_ptr<MemoryVolume>, std::less<>> volumes;
};

class MemoryStore final : public VolumeStore {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk);

  [[nodiscard]] std::string name() const override;
  Result<StoreStatus> status() override;
  Result<std::vector<VolumeInfo>> list() override;
  Result<VolumeInfo> find(std::string_view name) override;
  Result<VolumeInfo> create(std::string_view name, std::uint64_t size) override;
  Result<std::unique_ptr<BlockTarget>> open(std::string_view name, Access access) override;
  Result<void> seal(std::string_view name) override;
  Result<void> clone(std::string_view origin, std::span<const std::string> names) override;
  Result<void> reset(std::span<const std::string> names) override;
  Result<void> remove(std::span<const std::string> names) override;
  Result<void> adopt(std::string_view name, std::string_view origin) override;
  Result<void> resize(std::string_view name, std::uint64_t size) override;
  Result<void> activate(std::string_view name) override;
  Result<void> deactivate(std::string_view name) override;
  [[nodiscard]] std::vector<std::string> plan_create(std::string_view name, std::uint64_t size) const override;
  [[nodiscard]] std::vector<std::string> plan_clone(std::string_view origin,
                                                    std::span<const std::string> names) const override;
  [[nodiscard]] std::vector<std::string> plan_remove(std::span<const std::string> names) const override;

 private:
  // All below: with the disk's lock held.
  Result<std::shared_ptr<MemoryVolume>> lookup(std::string_view name) const;
  [[nodiscard]] VolumeInfo info(const std::string& name, const MemoryVolume& volume) const;
  [[nodiscard]] std::vector<std::string> clones_of(std::string_view golden) const;
  Result<void> check_removable(std::span<const std::string> names) const;

  std::shared_ptr<MemoryDisk> disk_;
};

}  // namespace domsmith
