// Templates: how large a guest is and how it is connected (templates/*.toml), and the step from there to a DomainSpec.
//
// A template's name is its file's stem. Shipped: tiny, small, medium (PVH) and tiny-pv, small-pv, medium-pv.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "provision/domain/spec.h"

namespace domsmith {

struct VifTemplate {
  std::string bridge;  // empty: the settings' bridge
  std::string script;
  std::string rate;
};

struct DomainTemplate {
  std::filesystem::path file;
  std::string name;
  std::string description;
  DomainType type = DomainType::pvh;
  std::uint64_t memory = 0;  // bytes, a multiple of 1 MiB
  std::uint64_t maxmem = 0;  // bytes; as `memory` where the file does not say
  unsigned vcpus = 1;
  TscMode tsc = TscMode::standard;
  std::string cmdline;  // added behind the image's own kernel command line
  DomainAction on_poweroff = DomainAction::destroy;
  DomainAction on_reboot = DomainAction::restart;
  DomainAction on_crash = DomainAction::destroy;
  std::vector<VifTemplate> vifs;  // one MAC each; without [[vif]] in the file: one, on the settings' bridge
};

// Reads and checks one file; every fault of it in one Error with file:line:column (`others`).
Result<DomainTemplate> check_template(const std::filesystem::path& file);
Result<DomainTemplate> parse_template(std::string_view text, const std::filesystem::path& file);

// Every *.toml of the folder, sorted by name. The faults of all files come in one Error. A folder that is absent:
// not_found.
Result<std::vector<DomainTemplate>> load_templates(const std::filesystem::path& directory);
// One by name; not_found names the nearest and lists what there is.
Result<DomainTemplate> load_template(const std::filesystem::path& directory, std::string_view name);

// The JSON Schema (draft 2020-12) of a template, from the description that the parser uses.
std::string template_schema_json();

// What is a guest's own.
struct GuestFacts {
  std::string name;
  std::string uuid;
  std::string kernel;
  std::string ramdisk;            // may be empty
  std::string cmdline;            // the image's
  std::vector<DomainDisk> disks;  // the root disk first
  std::vector<std::string> macs;  // one for each vif of the template
  std::string default_bridge;     // the settings' bridge
  bool autostart = false;
};

// bad_input where the number of MACs is not the template's number of vifs or the result does not validate().
Result<DomainSpec> make_domain_spec(const DomainTemplate& from, const GuestFacts& guest);

}  // namespace domsmith
