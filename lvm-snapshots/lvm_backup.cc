#include "lvm-snapshots/lvm_backup.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/crypto.h"
#include "base/file.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view archive_ending = ".vg";

// "vg0_00012-345.vg" of group "vg0": 12.
std::optional<std::uint64_t> archive_number(std::string_view file, std::string_view group) {
  const std::size_t at = file.rfind('_');
  if (at == std::string_view::npos || file.substr(0, at) != group || !file.ends_with(archive_ending)) {
    return std::nullopt;
  }
  const std::string_view rest = file.substr(at + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

using Archives = std::vector<std::pair<std::uint64_t, fs::path>>;  // by their numbers

Archives archives_of(const fs::path& folder, const std::string& group) {
  Archives all;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (const auto number = archive_number(it->path().filename().string(), group)) {
      all.emplace_back(*number, it->path());
    }
  }
  std::ranges::sort(all);
  return all;
}

// The oldest first, up to the first that is to stay, as LVM does it (lib/format_text/archive.c, _remove_expired): there
// may be thousands of them.
void remove_expired(const Archives& all, const LvmSettings& settings, std::uint64_t now) {
  static constexpr std::uint64_t day = 86400;
  std::uint64_t left = all.size() + 1;  // the new one
  for (const auto& [number, file] : all) {
    if (left <= settings.retain_min) {
      return;
    }
    struct stat there{};
    if (::stat(file.c_str(), &there) != 0) {
      continue;
    }
    if (static_cast<std::uint64_t>(there.st_mtim.tv_sec) + settings.retain_days * day > now) {
      return;
    }
    left -= remove_file(file) ? 1 : 0;
  }
}

}  // namespace

std::string lvm_backup_text(std::string_view text, std::string_view description, const LvmStamp& stamp) {
  LvmConfigNode header;
  header.children = {LvmConfigNode::text("contents", "Text Format Volume Group"), LvmConfigNode::number("version", 1),
                     LvmConfigNode::text("description", std::string(description)),
                     LvmConfigNode::text("creation_host", stamp.host),
                     LvmConfigNode::number("creation_time", stamp.time)};
  std::string file = "# Written by domsmith, as LVM2 does it\n" + lvm_config_text(header) + "\n";
  static constexpr std::size_t usual_growth = 4;  // a fourth, of tabs
  file.reserve(file.size() + text.size() + text.size() / usual_growth);
  static constexpr std::string_view tabs = "\t\t\t\t\t\t\t\t";
  std::size_t depth = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::string_view whole = text.substr(0, line.size() + 1);
    text.remove_prefix(whole.size());
    depth -= depth > 0 && (line.starts_with('}') || line.starts_with(']')) ? 1 : 0;
    file.append(tabs.substr(0, line.empty() ? 0 : depth)).append(whole);
    if (whole.size() == line.size()) {
      file += '\n';
    }
    depth += line.ends_with('{') || line.ends_with('[') ? 1 : 0;
    if (depth == 0 && line == "}") {
      break;  // on the disk, who wrote it comes behind the group
    }
  }
  return file;
}

Result<void> archive_lvm_text(const LvmSettings& settings, const std::string& group, std::string_view text,
                              const LvmStamp& stamp) {
  if (!settings.archive || settings.archive_dir.empty()) {
    return {};
  }
  TRY(make_directories(settings.archive_dir, 0700));
  const Archives there = archives_of(settings.archive_dir, group);
  const std::uint64_t number = there.empty() ? 0 : there.back().first + 1;
  std::uint32_t random = 0;
  system_random().fill(std::as_writable_bytes(std::span(&random, 1)));
  const std::string name = fmt::format("{}_{:05}-{}{}", group, number, random >> 1, archive_ending);
  TRY(write_file_atomic(settings.archive_dir / name,
                        lvm_backup_text(text, "Created *before* executing 'domsmith'", stamp), 0600));
  remove_expired(there, settings, stamp.time);
  return {};
}

Result<void> back_up_lvm_text(const LvmSettings& settings, const std::string& group, std::string_view text,
                              const LvmStamp& stamp) {
  if (!settings.backup || settings.backup_dir.empty()) {
    return {};
  }
  TRY(make_directories(settings.backup_dir, 0700));
  return write_file_atomic(settings.backup_dir / group,
                           lvm_backup_text(text, "Created *after* executing 'domsmith'", stamp), 0600);
}

}  // namespace domsmith
