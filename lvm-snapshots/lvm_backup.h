// The files that LVM keeps of a group's metadata, where its settings ask for them: /etc/lvm/archive before a change,
// /etc/lvm/backup after it (vgcfgbackup(8); lib/format_text/archive.c, archiver.c of LVM2 2.03.16).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "lvm-snapshots/lvm_metadata.h"
#include "lvm-snapshots/lvm_settings.h"

namespace domsmith {

// A text as it stands on the disks ("vg0 {…", who wrote it at the end), as a file for people, with that description.
std::string lvm_backup_text(std::string_view text, std::string_view description, const LvmStamp& stamp);

// Adds GROUP_NUMBER-RANDOM.vg to the archive, and takes away what is older than its days, but for the least number of
// files. `text`: as it was before the change. An error: then LVM would make no change.
Result<void> archive_lvm_text(const LvmSettings& settings, const std::string& group, std::string_view text,
                              const LvmStamp& stamp);
Result<void> back_up_lvm_text(const LvmSettings& settings, const std::string& group, std::string_view text,
                              const LvmStamp& stamp);

}  // namespace domsmith
