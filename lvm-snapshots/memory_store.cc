#include "lvm-snapshots/memory_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/fail_point.h"
#include "lvm-snapshots/sparse_pages.h"
#include "lvm-snapshots/store_rules.h"

namespace domsmith {

struct MemoryVolume {
  VolumeKind kind = VolumeKind::staging;
  std::string origin;
  std::uint64_t size = 0;
  unsigned readers = 0;
  bool writer = false;
  bool activated = false;
  std::mutex pages_mutex;
  std::shared_ptr<SparsePages> pages = std::make_shared<SparsePages>();

  [[nodiscard]] bool in_use() const { return readers > 0 || writer || activated; }
};

namespace {

class OpenVolume final : public BlockTarget {
 public:
  OpenVolume(std::shared_ptr<MemoryDisk> disk, std::shared_ptr<MemoryVolume> volume, Access access, std::string name)
      : disk_(std::move(disk)), volume_(std::move(volume)), access_(access), name_(std::move(name)) {}
  OpenVolume(const OpenVolume&) = delete;
  OpenVolume& operator=(const OpenVolume&) = delete;
  ~OpenVolume() override {
    const std::lock_guard lock(disk_->mutex);
    if (access_ == Access::read_write) {
      volume_->writer = false;
    } else {
      --volume_->readers;
    }
  }

  [[nodiscard]] std::uint64_t size() const override { return volume_->size; }
  [[nodiscard]] std::string name() const override { return name_; }
  Result<void> flush() override { return {}; }

  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    TRY(check_range(offset, into.size()));
    const std::lock_guard lock(volume_->pages_mutex);
    volume_->pages->read(offset, into);
    return {};
  }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override {
    TRY(check_writable());
    TRY(check_range(offset, from.size()));
    const std::lock_guard lock(volume_->pages_mutex);
    volume_->pages->write(offset, from);
    return {};
  }
  Result<void> discard(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_writable());
    TRY(check_range(offset, length));
    const std::lock_guard lock(volume_->pages_mutex);
    volume_->pages->discard(offset, length);
    return {};
  }
  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override {
    const std::lock_guard lock(volume_->pages_mutex);
    return volume_->pages->next_data(offset, volume_->size);
  }

 private:
  Result<void> check_writable() const {
    if (access_ == Access::read_write) {
      return {};
    }
    return fail(ErrorCode::denied, fmt::format("{} is open for reading only", name_));
  }
  Result<void> check_range(std::uint64_t offset, std::uint64_t length) const {
    if (offset <= volume_->size && length <= volume_->size - offset) {
      return {};
    }
    return fail(ErrorCode::failed,
                fmt::format("{}: bytes {}+{} lie past its end at {}", name_, offset, length, volume_->size));
  }

  std::shared_ptr<MemoryDisk> disk_;
  std::shared_ptr<MemoryVolume> volume_;
  Access access_;
  std::string name_;
};

}  // namespace

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk) : disk_(std::move(disk)) {}

std::string MemoryStore::name() const { return "memory:" + disk_->name; }

Result<StoreStatus> MemoryStore::status() {
  const std::lock_guard lock(disk_->mutex);
  StoreStatus status;
  status.description = "memory of this process";
  status.method = "copy on write";
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  status.size = page * static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  status.free = page * static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES));
  status.volumes = disk_->volumes.size();
  return status;
}

VolumeInfo MemoryStore::info(const std::string& volume_name, const MemoryVolume& volume) const {
  VolumeInfo info;
  info.name = volume_name;
  info.kind = volume.kind;
  info.origin = volume.origin;
  info.size = volume.size;
  info.used = volume.pages->own_bytes();
  info.active = volume.in_use();
  info.device = fmt::format("/memory/{}/{}", disk_->name, volume_name);  // absolute, as a domain's disk must be
  info.disk_spec = "file";
  return info;
}

Result<std::shared_ptr<MemoryVolume>> MemoryStore::lookup(std::string_view volume_name) const {
  const auto it = disk_->volumes.find(volume_name);
  if (it == disk_->volumes.end()) {
    return store_rules::absent(name(), volume_name);
  }
  return it->second;
}

Result<std::vector<VolumeInfo>> MemoryStore::list() {
  const std::lock_guard lock(disk_->mutex);
  std::vector<VolumeInfo> all;
  for (const auto& [volume_name, volume] : disk_->volumes) {
    const std::lock_guard pages_lock(volume->pages_mutex);
    all.push_back(info(volume_name, *volume));
  }
  return all;
}

Result<VolumeInfo> MemoryStore::find(std::string_view volume_name) {
  const std::lock_guard lock(disk_->mutex);
  const auto volume = TRY(lookup(volume_name));
  const std::lock_guard pages_lock(volume->pages_mutex);
  return info(std::string(volume_name), *volume);
}

Result<VolumeInfo> MemoryStore::create(std::string_view volume_name, std::uint64_t size) {
  TRY(store_rules::check_new(volume_name, size));
  const std::lock_guard lock(disk_->mutex);
  if (disk_->volumes.contains(volume_name)) {
    return store_rules::taken(name(), volume_name);
  }
  TRY(fail_point("store.create.before"));
  auto volume = std::make_shared<MemoryVolume>();
  volume->size = size;
  disk_->volumes.emplace(volume_name, volume);
  return info(std::string(volume_name), *volume);
}

Result<std::unique_ptr<BlockTarget>> MemoryStore::open(std::string_view volume_name, Access access) {
  const std::lock_guard lock(disk_->mutex);
  const auto volume = TRY(lookup(volume_name));
  if (access == Access::read_write && volume->kind == VolumeKind::golden) {
    return store_rules::golden_is_read_only(volume_name);
  }
  if (volume->writer || (access == Access::read_write && volume->in_use())) {
    return store_rules::in_use(volume_name);
  }
  if (access == Access::read_write) {
    volume->writer = true;
  } else {
    ++volume->readers;
  }
  return std::make_unique<OpenVolume>(disk_, volume, access, fmt::format("memory:{}", volume_name));
}

Result<void> MemoryStore::seal(std::string_view volume_name) {
  const std::lock_guard lock(disk_->mutex);
  const auto volume = TRY(lookup(volume_name));
  TRY(store_rules::check_sealable(volume_name, volume->kind));
  if (volume->kind == VolumeKind::staging && volume->in_use()) {
    return store_rules::in_use(volume_name);
  }
  TRY(fail_point("store.seal.before"));
  volume->kind = VolumeKind::golden;
  return {};
}

Result<void> MemoryStore::clone(std::string_view origin, std::span<const std::string> names) {
  TRY(store_rules::check_names(names));
  const std::lock_guard lock(disk_->mutex);
  const auto golden = TRY(lookup(origin));
  TRY(store_rules::check_origin(origin, golden->kind));
  for (const std::string& clone_name : names) {
    if (disk_->volumes.contains(clone_name)) {
      return store_rules::taken(name(), clone_name);
    }
  }
  TRY(fail_point("store.clone.before"));
  for (const std::string& clone_name : names) {
    auto volume = std::make_shared<MemoryVolume>();
    volume->kind = VolumeKind::clone;
    volume->origin = origin;
    volume->size = golden->size;
    volume->pages = std::make_shared<SparsePages>(golden->pages);
    disk_->volumes.emplace(clone_name, std::move(volume));
  }
  return {};
}

Result<void> MemoryStore::reset(std::span<const std::string> names) {
  TRY(store_rules::check_names(names));
  const std::lock_guard lock(disk_->mutex);
  for (const std::string& clone_name : names) {
    const auto volume = TRY(lookup(clone_name));
    TRY(store_rules::check_is_clone(clone_name, volume->kind, "be reset"));
    if (volume->in_use()) {
      return store_rules::in_use(clone_name);
    }
  }
  TRY(fail_point("store.reset.before"));
  for (const std::string& clone_name : names) {
    const auto& volume = disk_->volumes.find(clone_name)->second;
    const std::lock_guard pages_lock(volume->pages_mutex);
    const auto& golden = disk_->volumes.find(volume->origin)->second;
    volume->pages = std::make_shared<SparsePages>(golden->pages);
    volume->size = golden->size;
  }
  return {};
}

Result<void> MemoryStore::adopt(std::string_view volume_name, std::string_view origin) {
  const std::lock_guard lock(disk_->mutex);
  const auto volume = TRY(lookup(volume_name));
  TRY(store_rules::check_adoptable(volume_name, volume->kind));
  TRY(store_rules::check_origin(origin, TRY(lookup(origin))->kind));
  if (volume->in_use()) {
    return store_rules::in_use(volume_name);
  }
  TRY(fail_point("store.adopt.before"));
  volume->kind = VolumeKind::clone;
  volume->origin = origin;
  return {};
}

Result<void> MemoryStore::resize(std::string_view volume_name, std::uint64_t size) {
  TRY(store_rules::check_new(volume_name, size));
  const std::lock_guard lock(disk_->mutex);
  const auto volume = TRY(lookup(volume_name));
  TRY(store_rules::check_is_clone(volume_name, volume->kind, "be resized"));
  if (volume->in_use()) {
    return store_rules::in_use(volume_name);
  }
  TRY(fail_point("store.resize.before"));
  const std::lock_guard pages_lock(volume->pages_mutex);
  if (size < volume->size) {
    volume->pages->discard(size, volume->size - size);
  }
  volume->size = size;
  return {};
}

std::vector<std::string> MemoryStore::clones_of(std::string_view golden) const {
  std::vector<std::string> clones;
  for (const auto& [volume_name, volume] : disk_->volumes) {
    if (volume->kind == VolumeKind::clone && volume->origin == golden) {
      clones.push_back(volume_name);
    }
  }
  return clones;
}

Result<void> MemoryStore::check_removable(std::span<const std::string> names) const {
  for (const std::string& volume_name : names) {
    const auto it = disk_->volumes.find(volume_name);
    if (it == disk_->volumes.end()) {
      continue;
    }
    if (it->second->in_use()) {
      return store_rules::in_use(volume_name);
    }
    auto clones = clones_of(volume_name);
    std::erase_if(clones, [&](const std::string& clone) { return std::ranges::find(names, clone) != names.end(); });
    if (!clones.empty()) {
      return store_rules::golden_has_clones(volume_name, clones);
    }
  }
  return {};
}

Result<void> MemoryStore::remove(std::span<const std::string> names) {
  TRY(store_rules::check_names(names));
  const std::lock_guard lock(disk_->mutex);
  TRY(check_removable(names));
  TRY(fail_point("store.remove.before"));
  for (const std::string& volume_name : names) {
    disk_->volumes.erase(volume_name);
  }
  return {};
}

Result<void> MemoryStore::activate(std::string_view volume_name) {
  const std::lock_guard lock(disk_->mutex);
  const auto volume = TRY(lookup(volume_name));
  TRY(store_rules::check_is_clone(volume_name, volume->kind, "be activated"));
  if (volume->writer || volume->readers > 0) {
    return store_rules::in_use(volume_name);
  }
  volume->activated = true;
  return {};
}

Result<void> MemoryStore::deactivate(std::string_view volume_name) {
  const std::lock_guard lock(disk_->mutex);
  TRY(lookup(volume_name))->activated = false;
  return {};
}

std::vector<std::string> MemoryStore::plan_create(std::string_view, std::uint64_t) const { return {}; }
std::vector<std::string> MemoryStore::plan_clone(std::string_view, std::span<const std::string>) const { return {}; }
std::vector<std::string> MemoryStore::plan_remove(std::span<const std::string>) const { return {}; }

}  // namespace domsmith
