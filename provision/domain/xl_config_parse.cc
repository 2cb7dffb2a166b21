#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/text.h"
#include "provision/domain/config_keys.h"
#include "provision/domain/config_reader.h"
#include "provision/domain/xl_config.h"

namespace domsmith {
namespace {

std::string create_remedy(std::string_view file) { return fmt::format("start this guest with: xl create {}", file); }

// Keys that domsmith would have to leave out when it starts the domain; a key that xl knows and we do not must not be
// lost in silence.
Result<void> check_keys(std::string_view text, std::string_view file) {
  std::vector<Error> errors;
  const auto lines = split_lines(text);
  for (const auto& key : config_keys(text)) {
    if (std::ranges::find(known_keys, key.name) != known_keys.end()) {
      continue;
    }
    SourcePoint where{.file = std::string(file),
                      .line = key.line,
                      .column = key.column,
                      .text = key.line <= lines.size() ? lines[key.line - 1] : std::string(),
                      .width = static_cast<unsigned>(key.name.size()),
                      .hint = {}};
    errors.push_back(Error{.code = ErrorCode::unsupported,
                           .what = fmt::format("domsmith cannot start a guest with '{}'", key.name),
                           .where = std::move(where),
                           .causes = {},
                           .remedy = create_remedy(file),
                           .others = {}});
  }
  if (errors.empty()) {
    return {};
  }
  Error first = std::move(errors.front());
  first.others.assign(std::make_move_iterator(errors.begin() + 1), std::make_move_iterator(errors.end()));
  return std::unexpected(std::move(first));
}

// The words of a vif, cut as xl does it (xl_parse.c): at commas, spaces in front dropped.
std::vector<std::pair<std::string, std::string>> vif_parts(std::string_view words) {
  std::vector<std::pair<std::string, std::string>> parts;
  while (!words.empty()) {
    const auto comma = std::min(words.find(','), words.size());
    auto part = words.substr(0, comma);
    words.remove_prefix(std::min(comma + 1, words.size()));
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    if (part.empty()) {
      continue;
    }
    const auto equals = std::min(part.find('='), part.size());
    parts.emplace_back(part.substr(0, equals), part.substr(std::min(equals + 1, part.size())));
  }
  return parts;
}

Result<DomainVif> parse_vif(std::string_view words, std::string_view file) {
  DomainVif vif;
  for (auto& [key, value] : vif_parts(words)) {
    if (key == "mac") {
      vif.mac = TRY_AS(parse_mac(value), fmt::format("{}: cannot read the vif '{}'", file, words));
    } else if (key == "bridge") {
      vif.bridge = value;
    } else if (key == "script") {
      vif.script = value;
    } else if (key == "rate") {
      vif.rate = value;
    } else if (key != "type" || value != "vif") {
      return fail(ErrorCode::unsupported, fmt::format("{}: domsmith cannot start a vif with '{}'", file, key),
                  create_remedy(file));
    }
  }
  return vif;
}

// A number from 0 to INT_MAX (xl keeps it in a long, libxl in an int); `fallback` where the key is absent.
Result<unsigned> read_number(ConfigReader& reader, const char* key, std::uint64_t fallback, std::string_view file) {
  const auto value = TRY(reader.integer(key)).value_or(static_cast<std::int64_t>(fallback));
  if (value < 0 || value > std::numeric_limits<int>::max()) {
    return fail(ErrorCode::bad_input, fmt::format("{}: {} = {} cannot be", file, key, value));
  }
  return static_cast<unsigned>(value);
}

Result<DomainType> read_type(ConfigReader& reader, std::string_view file) {
  // xl's own default on x86.
  const auto word = TRY(reader.string("type")).value_or("pv");
  if (word == "pv" || word == "pvh") {
    return word == "pv" ? DomainType::pv : DomainType::pvh;
  }
  return fail(ErrorCode::unsupported, fmt::format("{}: domsmith cannot start a guest of type '{}'", file, word),
              create_remedy(file));
}

// A key whose words `parse` knows; absent: `into` stays as it is.
template <class Value>
Result<void> read_word(ConfigReader& reader, const char* key, std::string_view file,
                       std::optional<Value> (*parse)(std::string_view), Value& into) {
  const auto word = TRY(reader.string(key));
  if (!word) {
    return {};
  }
  const auto value = parse(*word);
  if (!value) {
    return fail(ErrorCode::unsupported, fmt::format("{}: domsmith cannot do {} = '{}'", file, key, *word),
                create_remedy(file));
  }
  into = *value;
  return {};
}

Result<void> read_devices(ConfigReader& reader, std::string_view file, DomainSpec& spec) {
  for (const auto& words : TRY(reader.list("disk"))) {
    spec.disks.push_back(TRY(reader.disk(words)));
  }
  for (const auto& words : TRY(reader.list("vif"))) {
    spec.vifs.push_back(TRY(parse_vif(words, file)));
  }
  return {};
}

// "0:16:3E:1:2:3" -> "00:16:3e:01:02:03", as leniently as xl reads it; empty where it is no address.
std::string lenient_mac(const std::string& text) {
  std::string mac;
  std::size_t start = 0;
  for (int i = 0; i < 6; ++i) {
    const auto end = std::min(text.find(':', start), text.size());
    const auto octet = text.substr(std::min(start, text.size()), end - std::min(start, text.size()));
    if (octet.empty() || octet.size() > 2 ||
        !std::ranges::all_of(octet, [](unsigned char c) { return std::isxdigit(c) != 0; })) {
      return {};
    }
    mac += fmt::format("{}{:02x}", mac.empty() ? "" : ":", std::stoul(octet, nullptr, 16));
    start = end + 1;
  }
  return mac;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Result<DomainSpec> parse_xl_config(std::string_view text, std::string_view file) {
  auto reader = TRY(ConfigReader::parse(text, file));
  TRY(check_keys(text, file));
  DomainSpec spec;
  spec.name = TRY(reader.string("name")).value_or("");
  spec.uuid = lower(TRY(reader.string("uuid")).value_or(""));
  spec.type = TRY(read_type(reader, file));
  spec.memory_mib = TRY(read_number(reader, "memory", 0, file));
  spec.maxmem_mib = TRY(read_number(reader, "maxmem", spec.memory_mib, file));
  spec.vcpus = TRY(read_number(reader, "vcpus", 1, file));
  TRY(read_word(reader, "tsc_mode", file, parse_tsc, spec.tsc));
  spec.kernel = TRY(reader.string("kernel")).value_or("");
  spec.ramdisk = TRY(reader.string("ramdisk")).value_or("");
  spec.cmdline = TRY(reader.string("cmdline")).value_or("");
  TRY(read_devices(reader, file, spec));
  TRY(read_word(reader, "on_poweroff", file, parse_action, spec.on_poweroff));
  TRY(read_word(reader, "on_reboot", file, parse_action, spec.on_reboot));
  TRY(read_word(reader, "on_crash", file, parse_action, spec.on_crash));
  TRY_AS(validate(spec), fmt::format("{} is not a domain that domsmith can start", file));
  return spec;
}

bool written_by_domsmith(std::string_view text) {
  return text.starts_with(marker_line) && (text.size() == marker_line.size() || text[marker_line.size()] == '\n');
}

Result<XlConfigFacts> read_xl_config_facts(std::string_view text, std::string_view file) {
  auto reader = TRY(ConfigReader::parse(text, file));
  XlConfigFacts facts;
  facts.file = std::string(file);
  facts.name = TRY(reader.string("name")).value_or("");
  facts.uuid = lower(TRY(reader.string("uuid")).value_or(""));
  // What xl itself could not read of a device says nothing here; the other devices still count.
  for (const auto& words : reader.list("vif").value_or(std::vector<std::string>{})) {
    for (const auto& [key, value] : vif_parts(words)) {
      if (auto mac = key == "mac" ? lenient_mac(value) : std::string(); !mac.empty()) {
        facts.macs.push_back(std::move(mac));
      }
    }
  }
  for (const auto& words : reader.list("disk").value_or(std::vector<std::string>{})) {
    if (const auto disk = reader.disk(words, true); disk && !disk->target.empty()) {
      facts.targets.push_back(disk->target);
    }
  }
  return facts;
}

}  // namespace domsmith
