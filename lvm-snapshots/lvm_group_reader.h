// A volume group's text as one process reads it time and again: two megabytes in a group of 5,000 volumes, and a verb
// looks six times. Where nothing was committed since, a few sectors tell so.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "lvm-snapshots/lvm_disk.h"
#include "lvm-snapshots/lvm_volume_text.h"

namespace domsmith {

class LvmGroupReader {
 public:
  explicit LvmGroupReader(std::string group, std::filesystem::path links = "/dev/disk/by-id")
      : group_(std::move(group)), links_(std::move(links)) {}

  // As read_group_disks(); valid until the next call. What was read last still holds where on the same disks each
  // label, each area's header (place, length and checksum of its text) and the first sector of each text (the group's
  // seqno, which only grows) are as they were: a committed text is never written to, a commit moves the header's
  // pointer to another.
  Result<const LvmGroupDisks*> read(std::span<const std::filesystem::path> disks);
  // What they hold now by all that is known. The next read() looks whether they do.
  void wrote(LvmGroupDisks now);
  // What the text that was written is made of, where that is what they hold. parts() takes it apart otherwise.
  void made_of(const LvmTakenApart& parts);
  // What read() gave, taken apart; valid likewise. bad_input.
  Result<const LvmTakenApart*> parts();
  // Changes whenever read() finds another text.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

 private:
  [[nodiscard]] bool still_holds() const;

  std::string group_;
  std::filesystem::path links_;
  std::vector<std::filesystem::path> asked_for_;
  std::optional<LvmGroupDisks> seen_;
  std::optional<LvmTakenApart> parts_;
  std::uint64_t generation_ = 0;
  bool just_written_ = false;
};

}  // namespace domsmith
