#include "imagebuild/engine/path_filter.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/text.h"

namespace domsmith::engine {
namespace {

// Of "/usr/share/doc/*/copyright" the part that every match begins with: "/usr/share/doc".
std::string_view fixed_part(std::string_view pattern) {
  std::string_view fixed = pattern.substr(0, pattern.find_first_of("*?[\\"));
  while (fixed.ends_with('/')) {
    fixed.remove_suffix(1);
  }
  return fixed;
}

}  // namespace

void PathFilter::read(std::string_view configuration) {
  for (const std::string& raw : split_lines(configuration)) {
    const std::string line = trimmed(raw);
    for (const std::string_view name : {"path-exclude", "path-include"}) {
      if (line.starts_with(name) && line.size() > name.size() && std::string_view("= \t").contains(line[name.size()])) {
        rules_.push_back({.include = name == "path-include", .pattern = trimmed(line.substr(name.size() + 1))});
      }
    }
  }
}

bool PathFilter::leaves_out(const Entry& entry) const {
  const std::string path = "/" + entry.path;
  bool out = false;
  for (const Rule& rule : rules_) {
    if (out == rule.include && ::fnmatch(rule.pattern.c_str(), path.c_str(), 0) == 0) {
      out = !rule.include;
    }
  }
  if (out && (entry.type == EntryType::directory || entry.type == EntryType::symlink)) {
    return std::ranges::none_of(rules_, [&](const Rule& rule) {
      return rule.include && std::string_view(path).starts_with(fixed_part(rule.pattern));
    });
  }
  return out;
}

}  // namespace domsmith::engine
