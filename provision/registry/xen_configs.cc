#include "provision/registry/xen_configs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ranges>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/fd.h"
#include "base/folder_names.h"
#include "base/text.h"
#include "provision/registry/config_memory.h"
#include "provision/registry/mac.h"

namespace domsmith {
namespace {

constexpr std::uint64_t kLongestConfig = 1ULL << 20;  // bytes
constexpr std::string_view ending = ".cfg";
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

std::string error_of(int number) { return std::error_code(number, std::generic_category()).message(); }

ConfigMemory::Holdings holdings_of(const std::string& text) {
  XenConfigs found;
  scan_xen_config_text(text, {}, found);
  ConfigMemory::Holdings holdings;
  std::ranges::copy(std::views::keys(found.names), std::back_inserter(holdings.names));
  std::ranges::copy(std::views::keys(found.macs), std::back_inserter(holdings.macs));
  return holdings;
}

// One folder of configs: /etc/xen, or auto in it, whose names in the memory begin with "auto/".
class Scan {
 public:
  Scan(std::filesystem::path directory, std::string prefix, ConfigMemory& memory, XenConfigs& into)
      : directory_(std::move(directory)), prefix_(std::move(prefix)), memory_(memory), into_(into), begun_(now()) {}

  // Sorted, so that "the first file" is the same one each time.
  void folder(bool only_cfg) {
    if (!open()) {
      return;
    }
    const auto names = names_in_folder(fd_.get());
    if (!names) {
      into_.warnings.push_back(fmt::format("cannot list {}: {}", directory_.string(), names.error().what));
      return;
    }
    for (const std::string& name : *names) {
      if (!only_cfg || (name.size() > ending.size() && name.ends_with(ending))) {
        file(name);
      }
    }
  }

  bool open() {
    fd_ = Fd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd_ && errno != ENOENT) {
      into_.warnings.push_back(fmt::format("cannot list {}: {}", directory_.string(), error_of(errno)));
    }
    return static_cast<bool>(fd_);
  }

  void file(const std::string& name) {
    struct stat info{};
    if (::fstatat(fd_.get(), name.c_str(), &info, 0) != 0) {
      return unreadable(name, error_of(errno));
    }
    if (!S_ISREG(info.st_mode)) {  // opening a fifo would wait for its writer
      return S_ISDIR(info.st_mode) ? void() : unreadable(name, "it is no regular file");
    }
    ConfigMemory::Holdings holdings;
    if (!memory_.recall(prefix_.empty() ? name : prefix_ + name, ConfigStamp::of(info), holdings) &&
        !read(name, holdings)) {
      return;
    }
    const std::string path = directory_.native() + '/' + name;
    for (std::string& held : holdings.names) {
      into_.names.try_emplace(into_.names.end(), std::move(held), path);  // most files are called as their domain
    }
    for (std::string& held : holdings.macs) {
      into_.macs.emplace(std::move(held), path);
    }
  }

 private:
  static std::int64_t now() {
    return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  }

  bool read(const std::string& name, ConfigMemory::Holdings& holdings) {
    ++into_.files_read;
    const Fd fd(::openat(fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info{};
    if (!fd || ::fstat(fd.get(), &info) != 0) {
      unreadable(name, error_of(errno));
      return false;
    }
    if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) > kLongestConfig) {
      unreadable(name, S_ISREG(info.st_mode) ? "it is longer than 1 MiB" : "it is no regular file");
      return false;
    }
    std::string text(static_cast<std::size_t>(info.st_size), '\0');
    const auto got = read_some(fd.get(), std::as_writable_bytes(std::span(text)));
    if (!got) {
      unreadable(name, got.error().what);
      return false;
    }
    text.resize(*got);  // one that has grown since has other times, and is read again
    holdings = holdings_of(text);
    memory_.keep(prefix_ + name, ConfigStamp::of(info), holdings, begun_);
    return true;
  }

  void unreadable(const std::string& name, const std::string& why) {
    into_.warnings.push_back(fmt::format("cannot read {}: {}", (directory_ / name).string(), why));
  }

  std::filesystem::path directory_;
  std::string prefix_;
  ConfigMemory& memory_;
  XenConfigs& into_;
  std::int64_t begun_;  // before any file was looked at
  Fd fd_;
};

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

XenConfigs scan_xen_configs(const std::filesystem::path& directory, const std::filesystem::path& memory) {
  XenConfigs configs;
  ConfigMemory known = ConfigMemory::load(memory);
  Scan(directory, "", known, configs).folder(true);
  Scan(directory / "auto", "auto/", known, configs).folder(false);
  known.save();
  return configs;
}

void remember_xen_configs(const std::filesystem::path& directory, const std::filesystem::path& memory,
                          std::span<const std::string> names) {
  if (names.size() < ConfigMemory::worth_a_file) {
    return;
  }
  XenConfigs configs;
  ConfigMemory known = ConfigMemory::load(memory);
  Scan scan(directory, "", known, configs);
  if (!scan.open()) {
    return;
  }
  for (const std::string& name : names) {
    scan.file(name + ".cfg");
  }
  known.keep_rest();
  known.save();
}

}  // namespace domsmith
