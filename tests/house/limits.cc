#include "tests/house/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>

namespace domsmith::house {
namespace {

template <class Check>
void each_line(std::string_view text, Check&& check) {
  unsigned line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    check(++line, text.substr(at, end - at));
    at = end + 1;
  }
}

unsigned line_count(std::string_view text) { return static_cast<unsigned>(std::ranges::count(text, '\n')); }

bool is_cmake(const SourceFile& file) { return has_suffix(file, ".cmake") || has_suffix(file, "CMakeLists.txt"); }
bool is_script(const SourceFile& file) { return file.text.starts_with("#!"); }
bool is_code(const SourceFile& file) { return is_cpp(file) || is_cmake(file) || is_script(file); }

// Each line that holds a match of the pattern becomes a finding.
void search(const SourceFile& file, const std::regex& pattern, std::string_view objection,
            std::vector<Finding>& findings) {
  each_line(file.text, [&](unsigned line, std::string_view content) {
    std::match_results<std::string_view::const_iterator> match;
    if (std::regex_search(content.begin(), content.end(), match, pattern)) {
      findings.push_back({.path = file.path, .line = line, .text = fmt::format("'{}': {}", match[0].str(), objection)});
    }
  });
}

}  // namespace

std::vector<Finding> check_lengths(const std::vector<SourceFile>& tree) {
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    const unsigned lines = line_count(file.text);
    if (is_code(file) && lines > kMaxFileLines) {
      findings.push_back(
          {.path = file.path, .line = 0, .text = fmt::format("{} lines, more than {}", lines, kMaxFileLines)});
    }
    if (!is_cpp(file)) {
      continue;
    }
    for (const Function& function : functions_of(file.text)) {
      if (function.length > kMaxFunctionLines) {
        findings.push_back({.path = file.path,
                            .line = function.line,
                            .text = fmt::format("a function of {} lines, more than {}: {}", function.length,
                                                kMaxFunctionLines, function.signature)});
      }
    }
  }
  return findings;
}

std::vector<Finding> check_words(const std::vector<SourceFile>& tree) {
  // Written so that this file does not find itself.
  static const std::regex pattern(R"(\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b|not[ ]implemented)");
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    if (is_code(file)) {
      search(file, pattern, "unfinished work is finished, or said in an issue", findings);
    }
  }
  return findings;
}

std::vector<Finding> check_headers(const std::vector<SourceFile>& tree) {
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    if (!has_suffix(file, ".h")) {
      continue;
    }
    if (!file.text.starts_with("//") && !file.text.starts_with("/*")) {
      findings.push_back(
          {.path = file.path, .line = 1, .text = "a header starts with a comment that says what it is for"});
    }
    if (file.text.find("#pragma once\n") == std::string::npos) {
      findings.push_back({.path = file.path, .line = 1, .text = "#pragma once is missing"});
    }
  }
  return findings;
}

std::vector<Finding> check_scripts(const std::vector<SourceFile>& tree) {
  constexpr std::array folders{"script/", ".ci/", "tests/", "hypervisor/", "iso/"};
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    const bool there =
        std::ranges::any_of(folders, [&](std::string_view folder) { return file.path.starts_with(folder); });
    if (there && is_script(file) && !file.executable) {
      findings.push_back({.path = file.path, .line = 1, .text = "a script without its run bit"});
    }
  }
  return findings;
}

std::vector<Finding> check_paths(const std::vector<SourceFile>& tree) {
  static const std::regex pattern(
      R"((^|[\s"'=(<])/(home/(?!NAME|USER|builder|me\b|\$|\{|<|…)[a-z][a-z0-9_-]*/|Users/|work/[a-z]))");
  std::vector<Finding> findings;
  for (const SourceFile& file : tree) {
    if (file.path.starts_with("script/") || file.path.starts_with(".ci/") || is_cmake(file) || is_cpp(file) ||
        has_suffix(file, ".md")) {
      search(file, pattern, "a path of one machine", findings);
    }
  }
  return findings;
}

std::vector<Finding> check_top_level(const std::vector<SourceFile>& tree) {
  constexpr std::array allowed{"hypervisor", "imagebuild", "rootfs-recipes", "lvm-snapshots", "provision", "templates",
                               "tests",      "iso",        "base",           "docs",          "script",    ".ci",
                               "cmake",      "debian"};
  std::vector<Finding> findings;
  std::string last;
  for (const SourceFile& file : tree) {
    const std::size_t slash = file.path.find('/');
    const std::string top = slash == std::string::npos ? std::string() : file.path.substr(0, slash);
    if (!top.empty() && top != last && std::ranges::find(allowed, top) == allowed.end()) {
      findings.push_back({.path = file.path, .line = 0, .text = "a top-level folder that the house does not have"});
    }
    last = top;
  }
  return findings;
}

}  // namespace domsmith::house
