#include "imagebuild/packages/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "imagebuild/packages/distributions.h"

namespace domsmith::packages {
namespace {

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) {
    out.push_back(word);
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// apt's StringToBool: yes, true, with, on, enable, 1.
bool says_yes(std::string_view value) {
  constexpr std::array<std::string_view, 6> yes{"yes", "true", "with", "on", "enable", "1"};
  return std::ranges::find(yes, lower(value)) != yes.end();
}

bool allows_unsigned(std::string_view option, std::string_view value) {
  constexpr std::array<std::string_view, 4> options{"trusted", "allow-insecure", "allow-weak",
                                                    "allow-downgrade-to-insecure"};
  return std::ranges::find(options, lower(option)) != options.end() && says_yes(value);
}

std::unexpected<Error> bad_line(const std::string& file, std::size_t number, std::string_view what) {
  return fail(ErrorCode::failed, fmt::format("{}:{}: {}", file, number, what),
              "see sources.list(5), or name a mirror in the recipe's [distribution]");
}

// What one entry of either format says, before it is taken apart by suite.
struct RawEntry {
  std::vector<std::string> uris, suites, components;
  std::string signed_by;
  bool trusted = false;
  std::string origin;
  std::vector<std::string> options;
};

void append_sources(const RawEntry& raw, std::vector<AptSource>& out) {
  for (const std::string& uri : raw.uris) {
    for (const std::string& suite : raw.suites) {
      out.push_back({uri, suite, raw.components, raw.signed_by, raw.trusted, raw.origin, raw.options});
    }
  }
}

void read_option(std::string_view option, RawEntry& raw) {
  const auto equals = option.find('=');
  const auto name = option.substr(0, equals);
  const auto value = equals == std::string_view::npos ? std::string_view{} : option.substr(equals + 1);
  if (lower(name) == "signed-by") {
    raw.signed_by = std::string(value);
  } else if (allows_unsigned(name, value)) {
    raw.trusted = true;
  } else {
    raw.options.emplace_back(option);
  }
}

// "deb [ OPTIONS ] URI SUITE COMPONENT…"; nullopt for deb-src.
Result<std::optional<RawEntry>> read_line(std::string_view line, const std::string& file, std::size_t number) {
  RawEntry raw;
  raw.origin = fmt::format("{}:{}", file, number);
  const auto open = line.find('[');
  const auto close = line.find(']');
  std::string rest(line);
  if (open != std::string_view::npos && close != std::string_view::npos && open < close) {
    for (const std::string& option : words(line.substr(open + 1, close - open - 1))) {
      read_option(option, raw);
    }
    rest = fmt::format("{} {}", line.substr(0, open), line.substr(close + 1));
  }
  const auto parts = words(rest);
  if (parts.empty() || (parts[0] != "deb" && parts[0] != "deb-src")) {
    return bad_line(file, number, "an entry starts with 'deb' or 'deb-src'");
  }
  if (parts[0] == "deb-src") {
    return std::nullopt;
  }
  if (parts.size() < 3 || (parts.size() < 4 && !parts[2].ends_with('/'))) {
    return bad_line(file, number, "an entry needs a URI, a suite and components");
  }
  raw.uris = {parts[1]};
  raw.suites = {parts[2]};
  raw.components.assign(parts.begin() + 3, parts.end());
  return raw;
}

// A deb822 stanza: field name (lower case) and value, continuation lines joined by newlines.
struct Stanza {
  std::size_t line = 0;
  std::vector<std::pair<std::string, std::string>> fields;

  [[nodiscard]] std::string_view get(std::string_view name) const {
    const auto found = std::ranges::find(fields, name, &std::pair<std::string, std::string>::first);
    return found == fields.end() ? std::string_view{} : std::string_view(found->second);
  }
};

// The fields of deb822 that are options of the one-line format too (sources.list(5), OPTIONS), by both names.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> shared_options{{
    {"architectures", "arch"},
    {"languages", "lang"},
    {"targets", "target"},
    {"pdiffs", "pdiffs"},
    {"by-hash", "by-hash"},
    {"check-valid-until", "check-valid-until"},
    {"valid-until-min", "valid-until-min"},
    {"valid-until-max", "valid-until-max"},
    {"check-date", "check-date"},
    {"date-max-future", "date-max-future"},
    {"snapshot", "snapshot"},
}};

std::vector<std::string> options_of(const Stanza& stanza) {
  std::vector<std::string> out;
  for (const auto& [field, option] : shared_options) {
    if (const auto value = words(stanza.get(field)); !value.empty()) {
      out.push_back(fmt::format("{}={}", option, join(value, ",")));
    }
  }
  return out;
}

Result<std::vector<Stanza>> read_stanzas(std::string_view text, const std::string& file) {
  std::vector<Stanza> stanzas(1);
  std::size_t number = 0;
  for (const std::string& line : split_lines(text)) {
    ++number;
    if (line.starts_with('#')) {
      continue;
    }
    if (trimmed(line).empty()) {
      stanzas.emplace_back();
      continue;
    }
    Stanza& stanza = stanzas.back();
    const auto colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t') {
      if (stanza.fields.empty()) {
        return bad_line(file, number, "a continuation line without a field before it");
      }
      stanza.fields.back().second += "\n" + trimmed(line);
    } else if (colon == std::string::npos) {
      return bad_line(file, number, "a field has the form 'Name: value'");
    } else {
      stanza.line = stanza.fields.empty() ? number : stanza.line;
      stanza.fields.emplace_back(lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
    }
  }
  std::erase_if(stanzas, [](const Stanza& stanza) { return stanza.fields.empty(); });
  return stanzas;
}

bool is_wanted_suite(const std::string& suite, const std::string& release) {
  return suite == release || suite == release + "-updates" || suite == release + "-security" ||
         suite == release + "/updates";
}

// The components of both, in the order of the recipe.
std::vector<std::string> common(const std::vector<std::string>& wanted, const std::vector<std::string>& offered) {
  std::vector<std::string> out;
  std::ranges::copy_if(wanted, std::back_inserter(out), [&](const std::string& component) {
    return std::ranges::find(offered, component) != offered.end();
  });
  return out;
}

Result<void> check_signed(const AptSource& source) {
  if (source.trusted) {
    return fail(ErrorCode::bad_input, fmt::format("the apt source '{}' would take unsigned packages", source.line()),
                fmt::format("name its key with [signed-by=/path/to/key.gpg] and drop 'trusted' ({})", source.origin));
  }
  if (source.signed_by.find("-----BEGIN") != std::string::npos) {
    return fail(ErrorCode::unsupported, fmt::format("{} holds its key inside the entry", source.origin),
                "put the key into a file of its own below /usr/share/keyrings and name that in Signed-By");
  }
  return {};
}

// Every wanted component has to come from somewhere; updates may lack some of them.
Result<void> check_complete(const Recipe::Distribution& wanted, const std::vector<AptSource>& sources) {
  for (const std::string& component : wanted.components) {
    const bool found = std::ranges::any_of(sources, [&](const AptSource& source) {
      return source.suite == wanted.release &&
             std::ranges::find(source.components, component) != source.components.end();
    });
    if (!found) {
      return fail(ErrorCode::failed,
                  fmt::format("this host has no apt source for {} '{}' {}", wanted.name, wanted.release, component),
                  "name one in the recipe: [distribution] mirror = \"http://deb.debian.org/debian\"");
    }
  }
  return {};
}

Result<std::vector<AptSource>> recipe_sources(const Recipe::Distribution& wanted) {
  std::vector<AptSource> out;
  for (const std::string& mirror : wanted.mirrors) {
    if (mirror.starts_with("deb ") || mirror.starts_with("deb\t")) {
      for (AptSource& source : TRY(parse_one_line(mirror, "mirror"))) {
        source.origin = "the recipe's mirror";
        out.push_back(std::move(source));
      }
    } else {
      out.push_back(
          {mirror, wanted.release, wanted.components, keyring_of(wanted.name), false, "the recipe's mirror", {}});
    }
  }
  return out;
}

}  // namespace

std::string AptSource::line() const {
  std::vector<std::string> bracket;
  if (!signed_by.empty()) {
    bracket.push_back("signed-by=" + signed_by);
  }
  bracket.insert(bracket.end(), options.begin(), options.end());
  std::vector<std::string> parts{"deb"};
  if (!bracket.empty()) {
    parts.push_back(fmt::format("[{}]", join(bracket, " ")));
  }
  parts.insert(parts.end(), {uri, suite});
  parts.insert(parts.end(), components.begin(), components.end());
  return join(parts, " ");
}

Result<std::vector<AptSource>> parse_one_line(std::string_view text, const std::string& file) {
  std::vector<AptSource> out;
  std::size_t number = 0;
  for (const std::string& raw : split_lines(text)) {
    ++number;
    const std::string line = trimmed(std::string_view(raw).substr(0, raw.find('#')));
    if (line.empty()) {
      continue;
    }
    if (const auto entry = TRY(read_line(line, file, number))) {
      append_sources(*entry, out);
    }
  }
  return out;
}

Result<std::vector<AptSource>> parse_deb822(std::string_view text, const std::string& file) {
  std::vector<AptSource> out;
  for (const Stanza& stanza : TRY(read_stanzas(text, file))) {
    const auto types = words(stanza.get("types"));
    const auto enabled = stanza.get("enabled");
    if ((!enabled.empty() && !says_yes(enabled)) || std::ranges::find(types, "deb") == types.end()) {
      continue;
    }
    RawEntry raw;
    raw.uris = words(stanza.get("uris"));
    raw.suites = words(stanza.get("suites"));
    raw.components = words(stanza.get("components"));
    raw.options = options_of(stanza);
    raw.signed_by = std::string(stanza.get("signed-by"));
    if (raw.signed_by.find("-----BEGIN") == std::string::npos) {
      raw.signed_by = join(words(raw.signed_by), ",");
    }
    raw.origin = fmt::format("{}:{}", file, stanza.line);
    raw.trusted = std::ranges::any_of(stanza.fields, [](const auto& f) { return allows_unsigned(f.first, f.second); });
    if (raw.uris.empty() || raw.suites.empty()) {
      return bad_line(file, stanza.line, "an entry needs URIs and Suites");
    }
    append_sources(raw, out);
  }
  return out;
}

Result<std::vector<AptSource>> read_host_sources(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files{directory / "sources.list"};
  std::error_code code;
  for (const auto& item : std::filesystem::directory_iterator(directory / "sources.list.d", code)) {
    if (item.path().extension() == ".list" || item.path().extension() == ".sources") {
      files.push_back(item.path());
    }
  }
  std::sort(files.begin() + 1, files.end());
  std::vector<AptSource> out;
  for (const auto& file : files) {
    if (!std::filesystem::exists(file, code)) {
      continue;
    }
    const std::string text = TRY(read_file(file, 1U << 20));
    auto parse = file.extension() == ".sources" ? parse_deb822 : parse_one_line;
    for (AptSource& source : TRY(parse(text, file.string()))) {
      out.push_back(std::move(source));
    }
  }
  return out;
}

Result<std::vector<AptSource>> select_sources(const Recipe::Distribution& wanted, const std::vector<AptSource>& host) {
  std::vector<AptSource> out;
  if (!wanted.mirrors.empty()) {
    out = TRY(recipe_sources(wanted));
  } else {
    for (AptSource source : host) {
      source.components = common(wanted.components, source.components);
      if (is_wanted_suite(source.suite, wanted.release) && !source.components.empty()) {
        out.push_back(std::move(source));
      }
    }
  }
  for (const AptSource& source : out) {
    TRY(check_signed(source));
  }
  if (wanted.mirrors.empty()) {
    TRY(check_complete(wanted, out));
  }
  return out;
}

}  // namespace domsmith::packages
