// All that domsmith has on a host, as one value: what the registry says, and what there is. Comparing (compare.h) and
// finding garbage (garbage.h) are functions of it, so that tests need no host.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "lvm-snapshots/store.h"
#include "provision/domain/config_glance.h"
#include "provision/registry/records.h"
#include "provision/toolstack/toolstack.h"
#include "provision/workplace.h"

namespace domsmith {

struct StoreView {
  std::string name;
  StoreSurvey survey;
  std::string unreadable;  // why nothing is known of it; empty: it is known

  [[nodiscard]] const VolumeInfo* find(std::string_view volume) const;
};

struct World {
  // the registry and the journal
  std::vector<ImageRecord> images;
  std::vector<GuestRecord> guests;
  std::set<std::string> running;    // operations of living processes
  std::set<std::string> cut_off;    // operations of dead ones, which a recovery ends
  std::vector<std::string> strays;  // folders below STATE/work that are no operation's
  // the stores that the registry names, and those that were asked for; sorted by name
  std::vector<StoreView> stores;
  // the host
  std::filesystem::path xen;  // where the configs are
  ConfigFolderGlance configs;
  std::filesystem::path boot;
  std::set<std::string> boot_files;                             // names of files
  std::vector<std::string> idle_boot_files;                     // those that no image names, sorted
  std::optional<std::map<std::string, RunningDomain>> domains;  // nullopt: nobody can tell (no Xen)

  [[nodiscard]] const StoreView* store(std::string_view name) const;
  [[nodiscard]] const ImageRecord* image(std::string_view store, std::string_view name) const;
  // The volumes of a store that some row has, whatever its state; the names live as long as this.
  [[nodiscard]] std::unordered_set<std::string_view> owned_volumes(std::string_view store) const;
};

// One report of each store, one query a table, one pass over the configs. `stores`: to be looked at beside those that
// the registry names. `toolstack` may be null.
Result<World> look_at_world(Workplace& place, const std::vector<std::string>& stores, Toolstack* toolstack);

}  // namespace domsmith
