// FolderStore::survey(): the volumes, and what lies beside them.
#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "lvm-snapshots/folder_store.h"

namespace domsmith {

namespace fs = std::filesystem;

// A clone that was activated before it was removed by hand leaves its mark.
std::vector<std::string> FolderStore::marks_without_volume(const std::vector<VolumeInfo>& volumes) const {
  std::set<std::string_view> names;
  for (const VolumeInfo& volume : volumes) {
    names.insert(volume.name);
  }
  std::vector<std::string> marks;
  std::error_code error;
  for (fs::directory_iterator it(layout_.marker("x").parent_path(), error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (check_name("volume name", name) && !names.contains(name)) {
      marks.push_back(name);
    }
  }
  return marks;
}

Result<StoreSurvey> FolderStore::survey() {
  StoreSurvey survey{.volumes = TRY(list()), .strays = {}};
  const auto lock = TRY(look());
  if (!lock) {
    return survey;  // somebody else's store, or none
  }
  for (const std::string& name : marks_without_volume(survey.volumes)) {
    survey.strays.push_back({.subject = name,
                             .text = "the mark of an activated volume that is not there",
                             .recoverable = true,
                             .remedy = {}});
  }
  const auto left = FolderWorkspace::abandoned(layout_.work());
  for (const fs::path& folder : left.value_or(std::vector<fs::path>())) {
    survey.strays.push_back({.subject = folder.string(),
                             .text = "half-made files of a process that died",
                             .recoverable = true,
                             .remedy = {}});
  }
  return survey;
}

}  // namespace domsmith
