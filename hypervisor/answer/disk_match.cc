#include "hypervisor/answer/disk_match.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/text.h"

namespace domsmith {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

bool same(std::string_view wanted, std::string_view seen) { return wanted.empty() || lower(wanted) == lower(seen); }

std::string list_of(const std::vector<const InventoryDisk*>& disks) {
  std::vector<std::string> texts;
  for (const InventoryDisk* disk : disks) {
    texts.push_back(disk_text(*disk));
  }
  return join(texts, "; ");
}

std::vector<const InventoryDisk*> all_of(const Inventory& inventory) {
  std::vector<const InventoryDisk*> all;
  for (const InventoryDisk& disk : inventory.disks) {
    all.push_back(&disk);
  }
  return all;
}

Result<void> check_usable(const InventoryDisk& disk) {
  if (disk.read_only) {
    return fail(ErrorCode::bad_input, fmt::format("the disk {} is read-only", disk_text(disk)));
  }
  if (disk.removable) {
    return fail(ErrorCode::bad_input, fmt::format("the disk {} is removable", disk_text(disk)),
                "an installation goes to a fixed disk");
  }
  return {};
}

Result<const InventoryDisk*> choose(const DiskMatch& match, const Inventory& inventory,
                                    const std::set<std::string>& taken) {
  std::vector<const InventoryDisk*> fitting;
  for (const InventoryDisk& disk : inventory.disks) {
    // Which one is meant among several may not hang on a memory stick.
    if (fits(match, disk) && !taken.contains(disk.path) && (match.names_it() || (!disk.removable && !disk.read_only))) {
      fitting.push_back(&disk);
    }
  }
  if (fitting.size() == 1) {
    TRY(check_usable(*fitting.front()));
    return fitting.front();
  }
  if (fitting.empty()) {
    const auto all = all_of(inventory);
    return fail(ErrorCode::bad_input, fmt::format("no disk fits '{}'", match_text(match)),
                all.empty() ? "this machine has no disk that the installer knows" : "there are: " + list_of(all));
  }
  return fail(ErrorCode::bad_input, fmt::format("{} disks fit '{}'", fitting.size(), match_text(match)),
              fmt::format("name one by its serial number or WWN; they are: {}", list_of(fitting)));
}

}  // namespace

std::optional<SizeRange> parse_size_range(std::string_view text) {
  const std::string whole = trimmed(text);
  const auto size = [](std::string_view part) {
    std::string packed = trimmed(part);
    std::erase(packed, ' ');
    return parse_size(packed);
  };
  if (const auto dots = whole.find(".."); dots != std::string::npos) {
    const auto least = size(whole.substr(0, dots));
    const auto most = size(whole.substr(dots + 2));
    if (!least || !most || *least > *most) {
      return std::nullopt;
    }
    return SizeRange{*least, *most};
  }
  if (whole.starts_with(">=") || whole.starts_with("<=")) {
    const auto bound = size(whole.substr(2));
    if (!bound) {
      return std::nullopt;
    }
    return whole.front() == '>' ? SizeRange{.least = *bound} : SizeRange{.most = *bound};
  }
  const auto about = size(whole);
  if (!about || *about > UINT64_MAX / 107) {
    return std::nullopt;
  }
  return SizeRange{*about / 100 * 93, *about * 107 / 100};
}

bool fits(const DiskMatch& match, const InventoryDisk& disk) {
  return disk.size >= match.size.least && disk.size <= match.size.most && same(match.bus, disk.bus) &&
         same(match.serial, disk.serial) && same(match.wwn, disk.wwn) &&
         (match.model.empty() || ::fnmatch(match.model.c_str(), disk.model.c_str(), 0) == 0);
}

std::string match_text(const DiskMatch& match) {
  std::vector<std::string> words;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      words.push_back(fmt::format("{} {}", name, value));
    }
  };
  add("size", match.size_text);
  add("bus", match.bus);
  add("model", match.model);
  add("serial", match.serial);
  add("wwn", match.wwn);
  return words.empty() ? "any disk" : join(words, ", ");
}

Result<std::vector<InventoryDisk>> choose_disks(const std::vector<DiskMatch>& matches, const Inventory& inventory) {
  std::set<std::string> taken;
  std::vector<InventoryDisk> chosen(matches.size());
  // Those that name a disk choose first: what they take is not in doubt for the others.
  for (const bool naming : {true, false}) {
    for (std::size_t i = 0; i < matches.size(); ++i) {
      if (matches[i].names_it() == naming) {
        chosen[i] = *TRY(choose(matches[i], inventory, taken));
        taken.insert(chosen[i].path);
      }
    }
  }
  return chosen;
}

}  // namespace domsmith
