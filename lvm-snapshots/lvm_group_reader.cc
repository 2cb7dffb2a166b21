#include "lvm-snapshots/lvm_group_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <string_view>

#include "base/fd.h"
#include "lvm-snapshots/lvm_disk_format.h"

namespace domsmith {

namespace {

// Bytes of a text that were read, and the zero behind it.
bool begins_as(const Fd& disk, const LvmDisk& was, const LvmDisk::Area& area, std::string_view text) {
  const std::uint64_t length = std::min({std::uint64_t{mda_sector}, area.length, area.size - area.offset});
  const auto there = read_direct(disk, was.device, area.start + area.offset, length);
  std::string wanted(text.substr(0, length));
  wanted.resize(length, '\0');
  return there && *there == wanted;
}

bool is_as_it_was(const LvmDisk& was, std::string_view text) {
  const auto disk = open_fd(was.device.string(), O_RDONLY | O_DIRECT);
  if (!disk) {
    return false;
  }
  const auto label = lvm_label_of(*disk, was.device);
  return label && *label == was.label && std::ranges::all_of(was.areas, [&](const LvmDisk::Area& area) {
           const auto header = read_direct(*disk, was.device, area.start, mda_header_length);
           return header && *header == area.header && begins_as(*disk, was, area, text);
         });
}

}  // namespace

bool LvmGroupReader::still_holds() const {
  return seen_ &&
         std::ranges::all_of(seen_->disks, [&](const LvmDisk& disk) { return is_as_it_was(disk, seen_->agreed.text); });
}

Result<const LvmGroupDisks*> LvmGroupReader::read(std::span<const std::filesystem::path> disks) {
  if (std::ranges::equal(asked_for_, disks) && still_holds()) {
    return &*seen_;
  }
  seen_.reset();
  parts_.reset();
  ++generation_;
  just_written_ = false;
  asked_for_.assign(disks.begin(), disks.end());
  seen_ = TRY(read_group_disks(group_, disks, links_));
  return &*seen_;
}

void LvmGroupReader::wrote(LvmGroupDisks now) {
  seen_ = std::move(now);
  parts_.reset();
  ++generation_;
  just_written_ = true;
}

void LvmGroupReader::made_of(const LvmTakenApart& parts) {
  if (just_written_) {
    parts_ = parts;
  }
}

Result<const LvmTakenApart*> LvmGroupReader::parts() {
  if (!seen_) {
    return fail(ErrorCode::failed, "the metadata of VG " + group_ + " were not read");
  }
  if (!parts_) {
    parts_ = TRY(take_apart(seen_->agreed.text, group_));
  }
  return &*parts_;
}

}  // namespace domsmith
