#include "provision/identity/write.h"

#include <fmt/format.h>

#include "imagebuild/extfs/filesystem.h"

namespace domsmith {
namespace {

using extfs::FileSystem;
using extfs::Follow;

EntryType entry_type(PlannedFile::Type type) {
  switch (type) {
    case PlannedFile::Type::directory:
      return EntryType::directory;
    case PlannedFile::Type::symlink:
      return EntryType::symlink;
    case PlannedFile::Type::regular:
      break;
  }
  return EntryType::regular;
}

// Whether the image holds it so already: then nothing is written, and no block of a thin clone is copied.
Result<bool> is_so(FileSystem& fs, const PlannedFile& file) {
  if (!TRY(fs.exists(file.path, Follow::no))) {
    return false;
  }
  const auto info = TRY(fs.stat(file.path, Follow::no));
  if (info.type != entry_type(file.type) || info.uid != 0 || info.gid != 0) {
    return false;
  }
  if (file.type == PlannedFile::Type::symlink) {
    return TRY(fs.read_link(file.path)) == file.bytes;
  }
  if (info.mode != file.mode) {
    return false;
  }
  if (file.type == PlannedFile::Type::directory) {
    return true;
  }
  return info.size == file.bytes.size() && TRY(fs.read_file(file.path, info.size)) == file.bytes;
}

Result<void> write_one(FileSystem& fs, const PlannedFile& file) {
  if (TRY(is_so(fs, file))) {
    return {};
  }
  const extfs::Attributes attributes{.mode = file.mode};
  if (file.type == PlannedFile::Type::directory) {
    return fs.make_directories(file.path, attributes);
  }
  if (const auto folder = file.path.substr(0, file.path.rfind('/')); !folder.empty() && !TRY(fs.exists(folder))) {
    TRY(fs.make_directories(folder));
  }
  if (file.type == PlannedFile::Type::symlink) {
    return fs.symlink(file.path, file.bytes, attributes);
  }
  return fs.write_file(file.path, file.bytes, attributes);
}

}  // namespace

Result<void> apply_identity_plan(FileSystem& fs, const IdentityPlan& plan, Progress& progress) {
  for (const auto& path : plan.remove) {
    if (TRY(fs.exists(path, Follow::no))) {
      TRY_AS(fs.remove(path), fmt::format("cannot remove {} from the clone", path));
    }
  }
  for (const auto& file : plan.files) {
    TRY_AS(write_one(fs, file), fmt::format("cannot write {} into the clone", file.path));
  }
  for (const auto& note : plan.notes) {
    progress.note(note);
  }
  return {};
}

Result<void> write_identity(FileSystem& fs, const Identity& identity, Progress& progress) {
  const auto facts = TRY_AS(read_image_facts(fs), fmt::format("cannot write the identity of '{}'", identity.hostname));
  TRY_AS(apply_identity_plan(fs, plan_identity(facts, identity), progress),
         fmt::format("cannot write the identity of '{}'", identity.hostname));
  return {};
}

}  // namespace domsmith
