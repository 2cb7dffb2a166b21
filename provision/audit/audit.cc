#include "provision/audit/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace domsmith {

namespace {

AuditedCounts counts_of(const World& world) {
  AuditedCounts counts;
  counts.images = world.images.size();
  counts.guests = world.guests.size();
  counts.stores = world.stores.size();
  counts.configs = world.configs.configs.size();
  for (const StoreView& store : world.stores) {
    counts.volumes += store.survey.volumes.size();
  }
  if (world.domains) {
    counts.domains = world.domains->size();
  }
  return counts;
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

Result<Audit> audit(Workplace& place, const std::vector<std::string>& stores, Toolstack* toolstack) {
  const World world = TRY(look_at_world(place, stores, toolstack));
  Audit result{.looked_at = counts_of(world), .differences = compare(world)};
  if (!result.differences.empty()) {
    const std::vector<Difference> again = compare(TRY(look_at_world(place, stores, toolstack)));
    std::erase_if(result.differences,
                  [&](const Difference& each) { return std::ranges::find(again, each) == again.end(); });
  }
  return result;
}

std::string counts_text(const AuditedCounts& counts) {
  std::string text = fmt::format("{}, {}, {} in {}, {}", counted(counts.images, "image"),
                                 counted(counts.guests, "guest"), counted(counts.volumes, "volume"),
                                 counted(counts.stores, "store"), counted(counts.configs, "config"));
  return counts.domains ? text + ", " + counted(*counts.domains, "domain") : text + "; domains were not looked at";
}

nlohmann::json counts_json(const AuditedCounts& counts) {
  nlohmann::json json{{"images", counts.images},
                      {"guests", counts.guests},
                      {"stores", counts.stores},
                      {"volumes", counts.volumes},
                      {"configs", counts.configs}};
  json["domains"] = counts.domains ? nlohmann::json(*counts.domains) : nlohmann::json();
  return json;
}

}  // namespace domsmith
