#include "provision/cli/guest_table.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace domsmith {

namespace {

const RunningDomain* domain_of(const GuestRecord& guest, const Domains& domains) {
  if (!domains) {
    return nullptr;
  }
  const auto found = domains->find(guest.name);
  return found == domains->end() ? nullptr : &found->second;
}

}  // namespace

std::string guest_state(const GuestRecord& guest, const Domains& domains) {
  if (guest.state != GuestState::ready) {
    return std::string(state_text(guest.state));
  }
  if (const RunningDomain* domain = domain_of(guest, domains)) {
    return std::string(state_word(domain->state));
  }
  return domains ? "stopped" : "-";
}

Table guest_table(std::span<const GuestRecord> guests, const Domains& domains) {
  Table table({{"NAME", Align::left, true},
               {"STATE"},
               {"IMAGE", Align::left, true},
               {"TEMPLATE"},
               {"MAC"},
               {"ADDRESS"},
               {"STORE", Align::left, true}});
  for (const GuestRecord& guest : guests) {
    const Identity& identity = guest.identity;
    table.row({guest.name, guest_state(guest, domains), guest.image, guest.template_name,
               identity.macs.empty() ? "none" : identity.macs.front(),
               identity.network ? fmt::format("{}/{}", identity.network->address, identity.network->prefix) : "DHCP",
               guest.store});
  }
  return table;
}

nlohmann::json guest_json(const GuestRecord& guest, const Domains& domains) {
  nlohmann::json json = record_json(guest);
  if (domains) {
    const RunningDomain* domain = domain_of(guest, domains);
    json["running"] = domain != nullptr;
    if (domain != nullptr) {
      json["domain"] = {{"id", domain->domid},
                        {"state", state_word(domain->state)},
                        {"type", domain->type},
                        {"memory_mib", domain->memory_mib},
                        {"vcpus", domain->vcpus}};
    }
  }
  return json;
}

nlohmann::json guests_json(std::span<const GuestRecord> guests, const Domains& domains) {
  nlohmann::json document{{"guests", nlohmann::json::array()}};
  for (const GuestRecord& guest : guests) {
    document["guests"].push_back(guest_json(guest, domains));
  }
  return document;
}

}  // namespace domsmith
