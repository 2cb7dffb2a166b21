// What is not as the registry says, in words. A function of the World: no I/O.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "provision/audit/world.h"

namespace domsmith {

// What `audit --fix` does about a difference.
enum class Repair {
  none,            // nothing that is safe: the remedy says what a person can do
  recover,         // what a recovery finishes or undoes
  write_config,    // the guest's config anew, from what is recorded
  take_autostart,  // the registry takes over what /etc/xen/auto says
  put_boot_files,  // out of the golden image again
  activate,        // the volume of a running domain is marked as in use
  deactivate,      // the volume of a guest that does not run is put away
};

struct Difference {
  std::string kind;     // for programs: "volume-missing"
  std::string subject;  // "guest web-1", "image debian-minimal", "lvm:vg0/pool"
  std::string text;     // one sentence
  Repair repair = Repair::none;
  std::string remedy;  // where the repair is none
  std::string name;    // of the guest or image that the repair is for
  std::string store;   // its store
  bool operator==(const Difference&) const = default;
};

// "writes the config anew"; empty for none.
std::string_view repair_text(Repair repair);

// Sorted: stores, images, guests, the rest.
std::vector<Difference> compare(const World& world);

nlohmann::json difference_json(const Difference& difference);

// --- the parts, of compare.cc and compare_hosts.cc
void compare_stores(const World& world, std::vector<Difference>& into);   // registry and journal against the stores
void compare_configs(const World& world, std::vector<Difference>& into);  // registry against /etc/xen and boot files
void compare_domains(const World& world, std::vector<Difference>& into);  // registry and stores against what runs
// Whether the row is what it says it is: ready, and in no operation's hands.
bool settled(const GuestRecord& guest);
bool settled(const ImageRecord& image);

}  // namespace domsmith
