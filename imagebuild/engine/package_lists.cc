#include "imagebuild/engine/package_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "base/file.h"
#include "base/text.h"

namespace domsmith::engine {
namespace {

constexpr std::uint64_t list_limit = 1ULL << 30;
constexpr std::string_view list_ending = "_Packages";

// "foo:amd64=1.0" or "foo/bookworm" -> "foo", as an entry of a recipe names it.
std::string plain_name(std::string_view wanted) { return std::string(wanted.substr(0, wanted.find_first_of(":=/"))); }

bool is_wanted_by_all(const Stanza& stanza) {
  return stanza.field("Essential") == "yes" || stanza.field("Priority") == "required";
}

}  // namespace

std::string_view Stanza::field(std::string_view name) const {
  for (std::size_t at = 0; at < text_.size();) {
    const std::string_view rest = text_.substr(at);
    if (rest.size() > name.size() && rest[name.size()] == ':' && rest.starts_with(name)) {
      std::size_t end = at + name.size() + 1;
      do {
        end = std::min(text_.find('\n', end), text_.size()) + 1;
      } while (end < text_.size() && (text_[end] == ' ' || text_[end] == '\t'));
      std::string_view value = text_.substr(at + name.size() + 1, end - at - name.size() - 2);
      value.remove_prefix(std::min(value.find_first_not_of(" \t\n"), value.size()));
      return value.substr(0, value.find_last_not_of(" \t\n") + 1);
    }
    at = std::min(text_.find('\n', at), text_.size()) + 1;
  }
  return {};
}

std::vector<std::string_view> names_in(std::string_view dependencies) {
  std::vector<std::string_view> names;
  while (!dependencies.empty()) {
    std::string_view one = dependencies.substr(0, dependencies.find_first_of(",|"));
    dependencies.remove_prefix(std::min(one.size() + 1, dependencies.size()));
    one.remove_prefix(std::min(one.find_first_not_of(" \t\n"), one.size()));
    one = one.substr(0, one.find_first_of(" \t\n(:[<"));
    if (!one.empty()) {
      names.push_back(one);
    }
  }
  return names;
}

Result<PackageLists> PackageLists::read(const std::filesystem::path& folder) {
  PackageLists lists;
  std::error_code code;
  std::vector<std::filesystem::path> files;
  for (const auto& item : std::filesystem::directory_iterator(folder, code)) {
    if (item.path().filename().string().ends_with(list_ending)) {
      files.push_back(item.path());
    }
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    lists.lists_.push_back({.name = file.filename(), .text = TRY(read_file(file, list_limit))});
  }
  for (const List& list : lists.lists_) {
    for_each_stanza(list.text, [&](const Stanza& stanza) {
      const std::string_view name = stanza.field("Package");
      lists.packages_[name].push_back(stanza);
      for (const std::string_view offered : names_in(stanza.field("Provides"))) {
        lists.providers_[offered].push_back(name);
      }
    });
  }
  return lists;
}

std::set<std::string, std::less<>> PackageLists::reachable(const std::vector<std::string>& names,
                                                           bool recommends) const {
  std::vector<std::string> open;
  std::ranges::transform(names, std::back_inserter(open), plain_name);
  for (const auto& [name, stanzas] : packages_) {
    if (std::ranges::any_of(stanzas, is_wanted_by_all)) {
      open.emplace_back(name);
    }
  }
  std::set<std::string, std::less<>> seen;
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    if (!seen.insert(name).second) {
      continue;
    }
    if (const auto offered = providers_.find(name); offered != providers_.end()) {
      open.insert(open.end(), offered->second.begin(), offered->second.end());
    }
    const auto found = packages_.find(name);
    if (found == packages_.end()) {
      continue;
    }
    for (const Stanza& stanza : found->second) {
      for (const std::string_view field : {"Depends", "Pre-Depends", "Recommends"}) {
        if (field != "Recommends" || recommends) {
          const auto more = names_in(stanza.field(field));
          open.insert(open.end(), more.begin(), more.end());
        }
      }
    }
  }
  return seen;
}

Result<void> PackageLists::write(const std::filesystem::path& folder,
                                 const std::set<std::string, std::less<>>& packages) const {
  for (const List& list : lists_) {
    std::string text;
    for_each_stanza(list.text, [&](const Stanza& stanza) {
      if (packages.contains(stanza.field("Package"))) {
        text += stanza.text();
        text += '\n';
      }
    });
    TRY(write_file_atomic(folder / list.name, text));
  }
  return {};
}

std::optional<Stanza> PackageLists::find(std::string_view name, std::string_view version,
                                         std::string_view architecture) const {
  const auto found = packages_.find(name);
  if (found == packages_.end()) {
    return std::nullopt;
  }
  const auto stanza = std::ranges::find_if(found->second, [&](const Stanza& one) {
    return one.field("Version") == version && one.field("Architecture") == architecture;
  });
  return stanza == found->second.end() ? std::nullopt : std::optional(*stanza);
}

}  // namespace domsmith::engine
