// A volume group's metadata text written to its disks past LVM, which takes a second and more for it at 5,000 thin
// volumes. Under LVM's own locks (lvm_lock.h), as LVM does it (lib/format_text/format-text.c of LVM2 2.03.16,
// _vg_write_raw and _vg_commit_raw_rlocn), but that the disks' caches are flushed between the text and the pointer to
// it, and after it. Why, and what each crash leaves: docs/decisions/0016-writing-past-lvm.md.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lvm-snapshots/lvm_disk.h"

namespace domsmith {

class LvmGroupWriter {
 public:
  // The group as its disks held it when it was `seen`. An error, or a disk that is not among `disks` (those which the
  // kernel's own devices of the group stand on): LVM has to write.
  static Result<LvmGroupWriter> of(std::string_view group, const LvmGroupDisks& seen,
                                   std::span<const std::filesystem::path> disks);

  [[nodiscard]] const std::string& text() const { return seen_.agreed.text; }  // as it is committed
  // Why LVM has to write that text; empty where write() may.
  [[nodiscard]] std::string obstacle(std::string_view text) const;
  // All of it is committed, in one area at least: LVM takes the highest seqno, and brings the others up to it with its
  // next change. After an Error it is not known whether it is.
  // Gives what the disks hold when each area took it.
  Result<LvmGroupDisks> write(std::string_view text) const;

 private:
  [[nodiscard]] LvmGroupDisks after(std::string_view text) const;
  LvmGroupWriter(std::string group, LvmGroupDisks seen) : group_(std::move(group)), seen_(std::move(seen)) {}
  std::string group_;
  LvmGroupDisks seen_;
};

}  // namespace domsmith
