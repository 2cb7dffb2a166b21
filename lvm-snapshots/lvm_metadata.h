// The metadata of a volume group as vgcfgbackup(8) writes it, seen from one thin pool: what a batch must know of it,
// and the few edits that a batch makes. Everything else in the text stays as it is.
//
// Names of fields: lib/format_text/export.c and lib/thin/thin.c of LVM2 (2.03.16).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "lvm-snapshots/lvm_config.h"
#include "lvm-snapshots/lvm_volume_text.h"

namespace domsmith {

// Identifies a thin volume inside its pool; LVM gives them out as "highest + 1" and stops at 2^24 - 1.
using ThinDeviceId = std::uint32_t;

// What a new or changed volume is stamped with.
struct LvmStamp {
  std::uint64_t time = 0;  // seconds since the epoch
  std::string host;
};

LvmStamp stamp_now();  // of this host

class LvmMetadata {
 public:
  // bad_input: no text of that group, or none with that pool in it.
  static Result<LvmMetadata> parse(std::string_view text, const std::string& group, const std::string& pool);
  static Result<LvmMetadata> of(LvmTakenApart parts, const std::string& group, const std::string& pool);

  [[nodiscard]] std::uint64_t seqno() const;           // raised by LVM with each change of the group
  [[nodiscard]] std::string group_id() const;          // as LVM prints it: 38 characters with dashes
  [[nodiscard]] std::string pool_id() const;           // likewise
  [[nodiscard]] std::string pool_device_uuid() const;  // device-mapper's, of the pool's innermost device
  [[nodiscard]] std::string device_uuid(std::string_view volume) const;   // likewise, of a volume
  [[nodiscard]] std::uint64_t sectors_of(std::string_view volume) const;  // the length of one that device_of() knows
  [[nodiscard]] std::string pool_metadata_uuid() const;  // likewise, of the device that holds the pool's metadata
  [[nodiscard]] std::uint64_t transaction_id() const;    // of the pool

  // Why no batch may work on this group, in words; nullopt where one may.
  [[nodiscard]] std::optional<std::string> refusal() const;

  [[nodiscard]] bool has(std::string_view volume) const { return index_.contains(volume); }
  // A volume of this pool that is nothing but a thin volume: one segment, no external origin, not merging. nullopt
  // otherwise.
  [[nodiscard]] std::optional<ThinDeviceId> device_of(std::string_view volume) const;
  [[nodiscard]] std::string id_of(std::string_view volume) const;  // as LVM prints it; empty: no such volume
  [[nodiscard]] std::string origin_of(std::string_view volume) const;
  [[nodiscard]] std::set<ThinDeviceId> devices() const;  // that the volumes of this pool have
  // A volume that is not among `names` and speaks of one that is (as its origin, for example); empty where none does.
  [[nodiscard]] std::string outsider_using(const std::set<std::string, std::less<>>& names) const;

  // A snapshot of `origin`, as "lvcreate -s -ky -prw -an --addtag domsmith --addtag domsmith.clone" writes it.
  void add_clone(const std::string& name, const std::string& origin, ThinDeviceId device, const LvmStamp& stamp,
                 std::string_view id);
  // The same volume on another device.
  void set_device(std::string_view volume, ThinDeviceId device, const LvmStamp& stamp);
  void remove(const std::set<std::string, std::less<>>& names);
  // From the first name to the second. Nothing else in the group may speak of the first (outsider_using()).
  void rename(std::span<const std::pair<std::string, std::string>> volumes);

  // Messages that LVM has still to send to the kernel's pool, by type and device; they are sent with the step from
  // transaction_id() - 1 to transaction_id().
  struct Message {
    bool create = false;  // otherwise: delete
    ThinDeviceId device = 0;
    ThinDeviceId origin = 0;  // create: of a snapshot; 0: none
  };
  [[nodiscard]] std::vector<Message> messages() const;
  void drop_messages();
  // The pool's transaction number becomes the next, with one message that LVM can send any number of times: to delete
  // that device (libdm takes ENODATA for success; to create one twice it refuses).
  void begin_step(ThinDeviceId deleted);

  // What LVM would not read, or refuse to write: a name, an identifier or a device number that is there twice, a volume
  // whose pool or origin is not there. Of what a batch changes, not of all that may be wrong. Empty: nothing.
  [[nodiscard]] std::string flaw() const;

  void set_seqno(std::uint64_t number);
  // Who wrote the text, when and where, as LVM puts it at the text's end.
  void sign(const std::string& description, const LvmStamp& stamp);

  [[nodiscard]] const LvmTakenApart& parts() const { return parts_; }
  [[nodiscard]] std::string text() const { return put_together(parts_, group_); }

 private:
  LvmMetadata() = default;
  void reindex();
  [[nodiscard]] const LvmConfigNode& group() const;
  [[nodiscard]] const LvmVolumeText* volume(std::string_view name) const;
  [[nodiscard]] LvmVolumeText& volume_at(std::string_view name);  // of one that is there
  [[nodiscard]] const LvmConfigNode& pool_segment() const;
  // What `change` makes of the pool's segment.
  template <class Change>
  void change_pool(Change&& change);
  [[nodiscard]] bool in_pool(const LvmConfigNode& segment) const;
  [[nodiscard]] std::uint64_t extents_of(std::string_view name) const;

  LvmTakenApart parts_;
  std::string group_, pool_;
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  std::unordered_map<std::string, std::size_t, NameHash, std::equal_to<>> index_;  // name -> place among the volumes
};

// A random identifier in LVM's form: "Zs2KwJ-….", 32 letters and digits in groups of 6-4-4-4-4-4-6.
std::string new_lvm_id();

// `count` ids for new devices, none of them in use. Below the highest of `used` first: LVM itself only ever takes the
// highest + 1, so it never meets one of those; what does not fit there begins a good way above (`gap`), so that by hand
// volumes can be made while a batch that died waits for its recovery. Fewer than asked for where ids run out.
std::vector<ThinDeviceId> choose_device_ids(const std::set<ThinDeviceId>& used, std::size_t count);
inline constexpr ThinDeviceId device_id_gap = 256;
inline constexpr ThinDeviceId highest_device_id = (1U << 24) - 1;

}  // namespace domsmith
