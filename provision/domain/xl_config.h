// xl.cfg(5): a DomainSpec as text for a person and for xl, and back through libxlutil, the parser that xl itself uses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "provision/domain/spec.h"

namespace domsmith {

// Deterministic. The first line is the marker that says who wrote the file (written_by_domsmith()). The spec must
// validate(); what it says about autostart is not in the text.
std::string xl_config_text(const DomainSpec& spec);

// xl_config_text() after validate(), and read back: the same spec or an Error; never a text that xl would read
// otherwise.
Result<std::string> checked_xl_config(const DomainSpec& spec);

// Reads what xl_config_text() wrote, and what a person made of it by editing values. `file` is for messages.
// bad_input with file:line for what libxlutil refuses; unsupported for keys that a DomainSpec has no place for
// (bootloader, cpus, pci, …: such a guest can be started with `xl create` only), all of them named.
Result<DomainSpec> parse_xl_config(std::string_view text, std::string_view file);

bool written_by_domsmith(std::string_view text);

// What can be said of any xl.cfg, whoever wrote it: for the check that a name, UUID or MAC is free. Absent values are
// empty.
struct XlConfigFacts {
  std::string file;
  std::string name;
  std::string uuid;
  std::vector<std::string> macs;     // lower case
  std::vector<std::string> targets;  // of disks
};
Result<XlConfigFacts> read_xl_config_facts(std::string_view text, std::string_view file);

}  // namespace domsmith
