// `domsmith clone`: N snapshots of a golden image, N identities, N domain configs; all or nothing.
//
//   journal steps: reserve, volumes, (refused,) (identities,) configs, (configs-refused,) complete
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "provision/domain/template.h"
#include "provision/registry/names.h"
#include "provision/workplace.h"

namespace domsmith {

struct CloneRequest {
  std::string name;  // NAME for one, NAME-1 … NAME-N for more
  std::uint32_t count = 1;
  std::uint32_t first = 1;  // the first number
  bool autostart = false;
  bool settle = false;            // the identities are written at once, though they could wait for the first start
  bool ephemeral = false;         // pristine at each start
  bool full = false;              // copies that share nothing with the image
  std::vector<std::string> macs;  // chosen by the user, for one guest; empty: drawn
  std::optional<StaticNetwork> network;  // the first guest's; counted up for the others. Absent: DHCP
  std::vector<std::string> authorized_keys;
  MacPolicy mac_policy;
  std::string bridge;  // for interfaces whose template names none
};

struct ClonePlan {
  ImageRecord image;
  DomainTemplate domain;
  CloneRequest request;
  std::vector<std::string> names;
  std::vector<StaticNetwork> networks;       // one a guest, or none
  std::string method;                        // of the store: "thin snapshot"
  bool identities_wait = false;              // for each guest's first start (settle.h)
  std::vector<std::string> volume_commands;  // external commands that the store would run
  std::filesystem::path xen;                 // where the configs go
};

Result<ClonePlan> plan_clone(const Workplace& place, VolumeStore& store, const ImageRecord& image,
                             const DomainTemplate& domain, const CloneRequest& request);
std::string plan_text(const ClonePlan& plan);
nlohmann::json plan_json(const ClonePlan& plan);

Result<std::vector<GuestRecord>> clone_guests(Workplace& place, VolumeStore& store, const ClonePlan& plan,
                                              Progress& progress);

// Takes back a clone that did not come to its end. "undid", or "finished" where it had.
Result<std::string_view> undo_clone(Workplace& place, VolumeStore& store, const Operation& operation);

}  // namespace domsmith
