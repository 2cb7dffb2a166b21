// What this host has and lacks, and what to do about it: `domsmith doctor`.
//
// The probes look and change nothing. Those of Xen and of the kernel can be given another root, for tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "provision/cli/paths.h"
#include "provision/cli/settings.h"

namespace domsmith {

struct Check {
  enum class State {
    ok,
    lacks,    // something cannot be done here; the rest works
    missing,  // what was set up here cannot work: doctor exits 1
  };
  std::string area;  // "building", "store", "guests", "state"
  std::string name;  // "apt"
  State state = State::ok;
  std::string text;    // what was found, one clause
  std::string remedy;  // for lacks and missing
};
std::string_view state_word(Check::State state);

// apt, user namespaces, apt sources, e2fsck.
std::vector<Check> check_building(const std::filesystem::path& host = "/");
// The named store; the kernel's thin provisioning and LVM's tools, which it needs where it is lvm:.
std::vector<Check> check_store(const std::string& spec, const std::filesystem::path& host = "/");
// Xen, its daemons, memory, PVH, the bridge, xl.
std::vector<Check> check_guests(const Settings& settings, const std::filesystem::path& host = "/");
// Settings (read from `file`), templates, registry, what crashes left in the journal, free space.
std::vector<Check> check_state(const Result<Settings>& settings, const std::filesystem::path& file, const Paths& paths);

}  // namespace domsmith
