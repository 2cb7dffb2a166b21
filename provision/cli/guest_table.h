// Guests as a table and as JSON.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "provision/cli/table.h"
#include "provision/registry/records.h"
#include "provision/toolstack/toolstack.h"

namespace domsmith {

// Domains that exist now, by name; nullopt where that is not known (no Xen, or not root).
using Domains = std::optional<std::map<std::string, RunningDomain>>;

// "running", "stopped", or what the registry says ("making"); "-" where nobody can tell.
std::string guest_state(const GuestRecord& guest, const Domains& domains);

Table guest_table(std::span<const GuestRecord> guests, const Domains& domains);
nlohmann::json guest_json(const GuestRecord& guest, const Domains& domains);
nlohmann::json guests_json(std::span<const GuestRecord> guests, const Domains& domains);  // {"guests": […]}

}  // namespace domsmith
