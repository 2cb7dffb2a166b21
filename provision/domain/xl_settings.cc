#include "provision/domain/xl_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "base/file.h"
#include "provision/domain/config_reader.h"

namespace domsmith {
namespace {

constexpr unsigned most_cpus = 4096;  // Xen's own limit is CONFIG_NR_CPUS, at most 4095

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value < most_cpus ? std::optional(value) : std::nullopt;
}

// "5", "0-3" or "all": first and last.
std::optional<std::pair<unsigned, unsigned>> range_of(std::string_view part) {
  if (part == "all") {
    return std::pair(0U, most_cpus - 1);
  }
  const auto dash = part.find('-');
  const auto first = number(part.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number(part.substr(dash + 1));
  return first && last && *first <= *last ? std::optional(std::pair(*first, *last)) : std::nullopt;
}

Result<std::optional<CpuSet>> read_cpus(ConfigReader& reader, const char* key, const std::filesystem::path& file) {
  const auto text = TRY(reader.string(key));
  if (!text) {
    return std::nullopt;
  }
  return TRY_AS(parse_cpu_list(*text), fmt::format("{}: cannot read {}", file.string(), key));
}

}  // namespace

Result<CpuSet> parse_cpu_list(std::string_view text) {
  CpuSet cpus;
  for (std::string_view rest = text; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    const auto word = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const bool without = word.starts_with('^');
    const auto range = range_of(without ? word.substr(1) : word);
    if (!range) {
      return fail(ErrorCode::bad_input, fmt::format("'{}' is no list of CPUs", text),
                  "write it like 0-3,5,^2 or all,^0");
    }
    for (unsigned cpu = range->first; cpu <= range->second; ++cpu) {
      without ? static_cast<void>(cpus.erase(cpu)) : static_cast<void>(cpus.insert(cpu));
    }
  }
  return cpus;
}

std::optional<CpuSet> XlSettings::cpus_for(DomainType type) const {
  const auto& own = type == DomainType::pv ? pv_cpus : hvm_cpus;
  if (!cpus || !own) {
    return cpus ? cpus : own;
  }
  CpuSet both;
  std::ranges::set_intersection(*cpus, *own, std::inserter(both, both.end()));
  return both;
}

Result<XlSettings> read_xl_settings(const std::filesystem::path& file) {
  const auto text = read_file(file, 1U << 20);
  if (!text) {
    return text.error().code == ErrorCode::not_found ? Result<XlSettings>{} : std::unexpected(text.error());
  }
  auto reader = TRY(ConfigReader::parse(*text, file.string()));
  XlSettings settings;
  settings.vif_bridge = TRY(reader.string("vif.default.bridge")).value_or("");
  settings.vif_script = TRY(reader.string("vif.default.script")).value_or("");
  const auto balloon = TRY(reader.string("autoballoon")).value_or("auto");
  if (balloon == "on" || balloon == "1") {
    settings.autoballoon = true;
  } else if (balloon == "off" || balloon == "0") {
    settings.autoballoon = false;
  }
  settings.cpus = TRY(read_cpus(reader, "vm.cpumask", file));
  settings.pv_cpus = TRY(read_cpus(reader, "vm.pv.cpumask", file));
  settings.hvm_cpus = TRY(read_cpus(reader, "vm.hvm.cpumask", file));
  return settings;
}

}  // namespace domsmith
