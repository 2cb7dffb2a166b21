#include "hypervisor/system/rules.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <ranges>

#include "base/file.h"
#include "base/text.h"

namespace domsmith {
namespace {

constexpr std::uint64_t rules_limit = 1U << 20;
constexpr std::string_view package_word = "package ";

std::string without_comment(const std::string& line) { return trimmed(line.substr(0, line.find('#'))); }

}  // namespace

LeftOut LeftOut::parse(std::string_view text) {
  LeftOut rules;
  for (const std::string& line : split_lines(text)) {
    const std::string rule = without_comment(line);
    if (!rule.empty()) {
      const bool keeps = rule[0] == '!';
      Rule one{.pattern = rule.substr(keeps ? 1 : 0), .keeps = keeps};
      if (rule.starts_with(package_word)) {
        one.package = trimmed(rule.substr(package_word.size()));
      }
      rules.rules_.push_back(std::move(one));
    }
  }
  return rules;
}

const LeftOut::Rule* LeftOut::last_that_fits(std::string_view path) const {
  const std::string text(path);
  for (const Rule& rule : rules_ | std::views::reverse) {
    if (rule.package.empty() ? ::fnmatch(rule.pattern.c_str(), text.c_str(), 0) == 0 : rule.files.contains(path)) {
      return &rule;
    }
  }
  return nullptr;
}

Result<LeftOut> LeftOut::for_packages(const PackageFiles& packages) const {
  LeftOut known = *this;
  for (Rule& rule : known.rules_) {
    if (rule.package.empty()) {
      continue;
    }
    const auto found = packages.find(rule.package);
    if (found == packages.end()) {
      return fail(ErrorCode::not_found,
                  fmt::format("left-out.txt leaves out the package '{}', which the image does not have", rule.package),
                  "take the line away");
    }
    rule.files = found->second;
  }
  return known;
}

bool LeftOut::leaves_out(std::string_view path) const {
  const Rule* rule = last_that_fits(path);
  return rule != nullptr && !rule->keeps;
}

bool LeftOut::keeps(std::string_view path) const {
  const Rule* rule = last_that_fits(path);
  return rule != nullptr && rule->keeps;
}

std::string_view LeftOut::rule_for(std::string_view path) const {
  const Rule* rule = last_that_fits(path);
  return rule == nullptr ? std::string_view() : rule->pattern;
}

Result<ModuleList> parse_module_list(std::string_view text, const std::string& file) {
  ModuleList list;
  const std::map<std::string, std::vector<std::string>*> early_lists{{"[early]", &list.early},
                                                                     {"[early hardware]", &list.early_hardware},
                                                                     {"[early medium]", &list.early_medium},
                                                                     {"[early arrays]", &list.early_arrays}};
  std::string heading;
  for (const std::string& line : split_lines(text)) {
    std::string rest = without_comment(line);
    if (rest.starts_with('[')) {
      if (!rest.ends_with(']')) {
        return fail(ErrorCode::bad_input, fmt::format("{}: the heading '{}' does not end", file, rest),
                    "write [purpose]");
      }
      heading = rest;
      continue;
    }
    while (!rest.empty()) {
      const std::string name = rest.substr(0, rest.find(' '));
      rest = trimmed(rest.substr(name.size()));
      if (heading.empty()) {
        return fail(ErrorCode::bad_input, fmt::format("{}: the module '{}' has no purpose", file, name),
                    "put it below a heading [purpose]");
      }
      list.all.push_back(name);
      if (const auto early = early_lists.find(heading); early != early_lists.end()) {
        early->second->push_back(name);
      }
    }
  }
  return list;
}

Result<SystemRules> load_rules(const std::filesystem::path& folder) {
  const std::string modules = (folder / "modules.txt").string();
  return SystemRules{.left_out = LeftOut::parse(TRY(read_file(folder / "left-out.txt", rules_limit))),
                     .modules = TRY(parse_module_list(TRY(read_file(modules, rules_limit)), modules))};
}

}  // namespace domsmith
