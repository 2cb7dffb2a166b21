// A store of volumes: golden images and their clones. Three implementations pass one contract test
// (tests/unit/stores/store_contract.h): LVM thin pools, a folder of sparse files, memory.
//
// A volume is in use while it is open or activated. Open for writing it is its holder's alone; open for reading it may
// be shared. What is in use can't be written by anybody else, reset, removed or sealed: busy. A store can be used by
// several threads and by several processes at once; what a process held is free again when that process dies, however
// it dies. Activation outlives the process and ends with deactivate() or with the machine.
//
// A clone that was made or reset is fresh where the store keeps track of that (makes_fresh()): it holds what its origin
// holds and nothing of its own, and its device, as a domain's disk names it, cannot be there. settle() gives it what is
// its own and ends that. The mark is part of the volume itself, so no crash, no other program and no lost registry can
// make a fresh clone run.
//
// A name is check_name()'s (base/text.h). Verbs on several names are one call so that a store can make them one
// transaction; where a store cannot, it undoes what it did before it returns an error.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/block_target.h"
#include "base/progress.h"
#include "base/result.h"

namespace domsmith {

enum class VolumeKind {
  staging,  // being written by a build or an import; not an image yet
  golden,   // sealed: read-only, inactive, never booted
  clone,    // a snapshot of a golden volume, writable
};

struct VolumeInfo {
  std::string name;
  VolumeKind kind = VolumeKind::staging;
  std::string origin;      // clone: the golden volume's name
  std::uint64_t size = 0;  // bytes, as a guest sees it
  std::uint64_t used = 0;  // bytes of its own that it takes in the store; 0 where the store can't tell cheaply
  bool active = false;     // has a device node or is open now
  bool fresh = false;      // a clone that nothing of its own was written to yet: it cannot be activated
  std::string device;      // what a domain's disk names: "/dev/vg0/web-1", "/srv/store/clones/web-1.img"
  std::string disk_spec;   // xl's disk vdev prefix: "phy" or "file"
};

// Something that a store can run out of.
struct StoreLimit {
  std::string what;        // "pool data", "pool metadata", "VG metadata text", "device numbers", "free inodes"
  std::uint64_t size = 0;  // 0: not known
  std::uint64_t free = 0;
  bool bytes = true;  // otherwise a number of things
  // What one more clone takes of it, as reckoned: what it needs to be made and to get its identity. Guests that write
  // need more.
  std::uint64_t each = 0;

  [[nodiscard]] double used_percent() const {
    return size == 0 ? 0.0 : 100.0 * static_cast<double>(size - free) / static_cast<double>(size);
  }
};

struct StoreStatus {
  std::string description;  // "thin pool vg0/pool", "folder /srv/store (XFS, reflinks)"
  std::string method;       // how clones are made: "thin snapshot", "snapshot", "reflink", "copy of used blocks"
  std::uint64_t size = 0;   // bytes
  std::uint64_t free = 0;   // bytes
  std::optional<double> metadata_used_percent;
  std::uint64_t can_grow = 0;      // bytes that the store could be extended by (grow())
  std::vector<StoreLimit> limits;  // what to look at before a batch, and while guests write
  std::uint64_t volumes = 0;
};

// What lies in a store and is no volume of it.
struct StoreStray {
  std::string subject;       // "web-1.reset", "device 17"
  std::string text;          // a clause: "a volume that a reset left half-made"
  bool recoverable = false;  // recover() takes it away
  std::string remedy;        // where it is not: what a person can do
};

// Everything that a store holds, for about the price of list().
struct StoreSurvey {
  std::vector<VolumeInfo> volumes;  // sorted by name
  std::vector<StoreStray> strays;
};

class VolumeStore {
 public:
  virtual ~VolumeStore() = default;

  // As the user writes it: "lvm:vg0/pool", "dir:/srv/store", "memory:".
  [[nodiscard]] virtual std::string name() const = 0;
  virtual Result<StoreStatus> status() = 0;
  virtual Result<std::vector<VolumeInfo>> list() = 0;          // sorted by name
  virtual Result<VolumeInfo> find(std::string_view name) = 0;  // not_found

  // list(), and what crashes and hands left beside the volumes. Changes nothing; waits for verbs that run.
  virtual Result<StoreSurvey> survey();

  // A new staging volume that reads as zeroes. exists, no_space.
  virtual Result<VolumeInfo> create(std::string_view name, std::uint64_t size) = 0;
  // Opens (and activates, for as long as the target lives) a volume. read_write on a golden one: unsupported.
  virtual Result<std::unique_ptr<BlockTarget>> open(std::string_view name, Access access) = 0;
  // staging -> golden: flushed, read-only, inactive. Sealing a golden volume again does nothing. busy, unsupported (a
  // clone).
  virtual Result<void> seal(std::string_view name) = 0;

  // New clones of one golden volume: all or none. exists, not_found, no_space, unsupported (the origin is not golden).
  // Writable; not active (LVM: skips activation) until open or activate.
  virtual Result<void> clone(std::string_view origin, std::span<const std::string> names) = 0;
  // Makes the store itself larger by up to that many bytes, out of what its group has free; what it grew by. 0: there
  // is nothing to grow by. Stores that cannot: unsupported.
  virtual Result<std::uint64_t> grow(std::uint64_t bytes);

  // Clones go back to what their origin holds: all or none. busy where one is in use. After a crash in the middle each
  // volume is as it was or reset; the same call again finishes it.
  virtual Result<void> reset(std::span<const std::string> names) = 0;
  // Volumes of any kind; absent names are fine (so that an undo can be repeated). busy: in use, or a golden one with
  // clones that are not removed in the same call.
  virtual Result<void> remove(std::span<const std::string> names) = 0;

  // Opens each clone for writing, one after the other, and has `fill` write what is its own: where it succeeds and all
  // of it is on the disk, the clone is fresh no more. Clones that are not fresh are filled again. After an error or a
  // crash each one is as it was or settled; the same call again finishes it. busy, unsupported (no clone).
  using Fill = std::function<Result<void>(std::string_view name, BlockTarget& target)>;
  enum class Settled { put_away, activated };  // what follows: nothing, or activate()
  virtual Result<void> settle(std::span<const std::string> names, Settled then, const Fill& fill);
  // Whether this store knows fresh clones.
  [[nodiscard]] virtual bool makes_fresh() const { return false; }
  // staging -> a clone that shares nothing with its origin and that reset() may refuse (unsupported): whoever made the
  // copy makes it anew. busy; not_found (the origin too); unsupported: it is not staging, or the origin is not golden.
  virtual Result<void> adopt(std::string_view name, std::string_view origin) = 0;
  // Another size of a clone, bytes, perhaps rounded up; what grows reads as zeroes, what is cut off is lost. A reset
  // gives back the origin's. busy, no_space; unsupported: no clone, or one that has its origin's size for good.
  virtual Result<void> resize(std::string_view name, std::uint64_t size) = 0;

  // Makes the device of a clone available to a domain, and takes it away again. Both may be repeated.
  // unsupported: it is fresh.
  virtual Result<void> activate(std::string_view name) = 0;
  virtual Result<void> deactivate(std::string_view name) = 0;
  // Of many volumes, for about the price of one; those that are not there are passed over.
  virtual Result<void> deactivate_all(std::span<const std::string> names);

  // For each of these clones, bytes by which it differs from its origin, in whole blocks of the store, its identity
  // among them; nullopt: that cannot be told. Costs a look at each; LVM: thin_delta(8).
  virtual Result<std::vector<std::optional<std::uint64_t>>> changed_bytes(std::span<const std::string> names);

  // For --plan: the commands a verb runs, or those that do the same by hand (dir:); empty where there are none
  // (memory:).
  [[nodiscard]] virtual std::vector<std::string> plan_create(std::string_view name, std::uint64_t size) const = 0;
  [[nodiscard]] virtual std::vector<std::string> plan_clone(std::string_view origin,
                                                            std::span<const std::string> names) const = 0;
  [[nodiscard]] virtual std::vector<std::string> plan_remove(std::span<const std::string> names) const = 0;
  [[nodiscard]] virtual std::vector<std::string> plan_seal(std::string_view) const { return {}; }
  [[nodiscard]] virtual std::vector<std::string> plan_reset(std::string_view /*origin*/,
                                                            std::span<const std::string>) const {
    return {};
  }

  [[nodiscard]] virtual std::vector<std::string> plan_adopt(std::string_view /*name*/,
                                                            std::string_view /*origin*/) const {
    return {};
  }
  [[nodiscard]] virtual std::vector<std::string> plan_resize(std::string_view /*name*/, std::uint64_t) const {
    return {};
  }

  // Takes away what dead processes left unfinished (half copies, unnamed volumes). Every verb that changes something
  // does so by itself; for `domsmith recover`. A second call finds nothing to do.
  virtual Result<void> recover() { return {}; }

  // Long verbs (clone, reset, seal) say there how far they are; it must outlive the store or be replaced.
  void report_to(Progress& progress) { progress_ = &progress; }

 protected:
  [[nodiscard]] Progress& progress() { return *progress_; }

 private:
  SilentProgress silent_;
  Progress* progress_ = &silent_;
};

// Whether that many more clones fit, by the status's limits: no_space names each shortfall. `copy`: bytes that each of
// them is a copy of; 0: snapshots.
Result<void> admit_clones(const StoreStatus& status, std::size_t count, std::uint64_t copy);

// "lvm:VG/POOL" (or "lvm:VG" for classic snapshots), "dir:PATH", "memory:NAME" (one per process and NAME, for tests).
// bad_input otherwise.
Result<std::unique_ptr<VolumeStore>> open_store(std::string_view spec);

}  // namespace domsmith
