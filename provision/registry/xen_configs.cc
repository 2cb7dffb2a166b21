#include "provision/registry/xen_configs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "provision/registry/mac.h"

namespace domsmith {
namespace {

constexpr std::uint64_t kLongestConfig = 1ULL << 20;  // bytes
constexpr std::string_view kMacBytes = "0123456789abcdefABCDEF:-";
constexpr std::string_view kBlanks = " \t\r";

bool word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool equal_without_case(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

// The line without its comment; a '#' in quotes is none.
std::string_view code_of(std::string_view line) {
  char quote = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (quote != 0) {
      quote = c == quote ? '\0' : quote;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      return line.substr(0, at);
    }
  }
  return line;
}

void skip(std::string_view& text, std::string_view bytes) {
  text.remove_prefix(std::min(text.find_first_not_of(bytes), text.size()));
}

// What stands behind `key =` at the start of `text`; nullopt where that is not there.
std::optional<std::string_view> after_key(std::string_view text, std::string_view key) {
  if (text.size() <= key.size() || !equal_without_case(text.substr(0, key.size()), key)) {
    return std::nullopt;
  }
  text.remove_prefix(key.size());
  skip(text, kBlanks);
  if (!text.starts_with('=')) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  skip(text, kBlanks);
  return text;
}

void note_name(std::string_view statement, const std::string& file, XenConfigs& into) {
  skip(statement, kBlanks);
  const auto value = after_key(statement, "name");
  if (!value || value->empty()) {
    return;
  }
  const bool quoted = value->front() == '"' || value->front() == '\'';
  const auto rest = quoted ? value->substr(1) : *value;
  const auto name = rest.substr(0, quoted ? rest.find(value->front()) : rest.find_first_of(" \t\r;#"));
  if (!name.empty()) {
    into.names.emplace(name, file);
  }
}

void note_macs(std::string_view code, const std::string& file, XenConfigs& into) {
  for (std::size_t at = 0; at + 3 < code.size(); ++at) {
    if (at > 0 && word_byte(code[at - 1])) {
      continue;
    }
    auto value = after_key(code.substr(at), "mac");
    if (!value) {
      continue;
    }
    skip(*value, "\"' ");
    const auto mac = canonical_mac(value->substr(0, value->find_first_not_of(kMacBytes)));
    if (mac) {
      into.macs.emplace(*mac, file);
    }
  }
}

void scan_file(const std::filesystem::directory_entry& entry, XenConfigs& into) {
  const std::filesystem::path& file = entry.path();
  std::error_code error;
  if (!entry.is_regular_file(error)) {  // opening a fifo would wait for its writer
    if (error || !entry.is_directory(error)) {
      into.warnings.push_back(
          fmt::format("cannot read {}: {}", file.string(), error ? error.message() : "it is no regular file"));
    }
    return;
  }
  const auto text = read_file(file, kLongestConfig);
  if (!text) {
    const auto& why = text.error();
    into.warnings.push_back(why.causes.empty() ? why.what : fmt::format("{}: {}", why.what, why.causes.front()));
    return;
  }
  scan_xen_config_text(*text, file.string(), into);
}

// Sorted, so that "the first file" is the same one each time.
std::vector<std::filesystem::directory_entry> files_of(const std::filesystem::path& directory, bool only_cfg,
                                                       XenConfigs& into) {
  std::vector<std::filesystem::directory_entry> files;
  std::error_code error;
  std::filesystem::directory_iterator at(directory, error);
  if (error == std::errc::no_such_file_or_directory) {
    return files;
  }
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    if (!only_cfg || at->path().extension() == ".cfg") {
      files.push_back(*at);  // it knows the type: no stat(2) for each of thousands
    }
  }
  if (error) {
    into.warnings.push_back(fmt::format("cannot list {}: {}", directory.string(), error.message()));
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

void scan_xen_config_text(std::string_view text, const std::string& file, XenConfigs& into) {
  for (const auto& line : split_lines(text)) {
    const auto code = code_of(line);
    for (std::size_t start = 0; start <= code.size();) {  // xl.cfg separates settings by newline or ';'
      const auto end = std::min(code.find(';', start), code.size());
      note_name(code.substr(start, end - start), file, into);
      start = end + 1;
    }
    note_macs(code, file, into);
  }
}

XenConfigs scan_xen_configs(const std::filesystem::path& directory) {
  XenConfigs configs;
  for (const auto& file : files_of(directory, true, configs)) {
    scan_file(file, configs);
  }
  for (const auto& file : files_of(directory / "auto", false, configs)) {
    scan_file(file, configs);
  }
  return configs;
}

}  // namespace domsmith
