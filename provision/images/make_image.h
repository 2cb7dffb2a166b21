// The one way in which a golden image comes into being, whoever fills it: reserve the name, make a volume, fill it,
// seal it, keep its boot files, enter it in the registry. Journalled: a crash leaves an image or nothing.
//
//   journal steps: reserve, volume, (refused,) populate, seal, boot, complete
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "base/progress.h"
#include "imagebuild/boot/boot_files.h"
#include "provision/registry/records.h"
#include "provision/workplace.h"

namespace domsmith {

// What filling the volume told.
struct Populated {
  boot::BootFiles boot;  // empty version: the image cannot boot by itself
  std::uint64_t used = 0;
  std::uint64_t packages = 0;
  std::string filesystem_uuid;
  std::string distribution, release;  // where only the tree itself knows; empty: the record says
};
// `work` is an empty folder of the operation's own, 0700, for what is needed meanwhile: it goes with the operation, and
// a recovery removes it where the process died.
using Populate = std::function<Result<Populated>(BlockTarget& target, const std::filesystem::path& work)>;

// `record` says what is known before: name, version, distribution, size … `verb` names the operation in the journal.
Result<ImageRecord> make_image(Workplace& place, VolumeStore& store, std::string_view verb, ImageRecord record,
                               const Populate& populate, Progress& progress);

// --- the parts that an adoption (known_image) shares with a making
// What filling the volume told, as columns of its row.
void fill_columns(ImageRecord& record, const Populated& populated);
// The last steps, boot and complete: from then on the image exists. The operation has reserved the row.
Result<ImageRecord> enter_image(Workplace& place, Operation& operation, ImageRecord record, const Populated& populated);
// Takes back a making, unless it came to its end; the volume only where the operation made it. The row goes last: until
// all else is gone nobody may have the name, and a recovery knows by it that there is something left to do. "undid", or
// "finished".
Result<std::string_view> undo_making(Workplace& place, VolumeStore& store, const Operation& operation);

// An image that the store holds and the registry does not know is entered from what it says of itself (description.h).
// busy: it is being made or removed. not_found: neither knows it.
Result<ImageRecord> known_image(Workplace& place, VolumeStore& store, std::string_view name, Progress& progress);
// The same, but what only the store knows is not entered: for plans, and for who just looks.
Result<ImageRecord> look_at_image(Workplace& place, VolumeStore& store, std::string_view name);

// Fails where guests use it. Journal steps: mark | commit, volume, row.
Result<void> remove_image(Workplace& place, VolumeStore& store, std::string_view name);

// Finishes or undoes an operation of this file, and says in a clause what it did. The caller ends the operation.
bool is_image_operation(std::string_view verb);
Result<std::string> recover_image_operation(Workplace& place, Operation& operation);

}  // namespace domsmith
