// Texts that tests compare byte for byte with files of tests/golden, and manuals with what the code says.
// DOMSMITH_UPDATE_GOLDEN=1 writes the files anew.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace domsmith::golden {

inline bool updating() { return std::getenv("DOMSMITH_UPDATE_GOLDEN") != nullptr; }

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline void expect_text(const std::filesystem::path& path, const std::string& text) {
  if (updating()) {
    std::ofstream(path, std::ios::binary) << text;
  }
  EXPECT_EQ(text, bytes_of(path)) << path;
}

// The stems of the folder's .toml files, for a test with each as its parameter.
inline std::vector<std::string> toml_names(const std::filesystem::path& folder) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") {
      found.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(found);
  return found;
}

inline std::string test_name(const testing::TestParamInfo<std::string>& chosen) {
  std::string name = chosen.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

// What stands between ```LANGUAGE and ```.
inline std::vector<std::string> examples(const std::string& text, const std::string& language) {
  const std::string open = "```" + language + "\n";
  std::vector<std::string> found;
  for (auto at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    at += open.size();
    found.push_back(text.substr(at, text.find("```", at) - at));
  }
  return found;
}

// The generated part of a manual is `wanted`.
inline void expect_generated(const std::filesystem::path& manual, const std::string& wanted) {
  constexpr std::string_view begin =
      "<!-- generated: a test compares it with the code; DOMSMITH_UPDATE_GOLDEN=1 makes that test write it anew -->\n";
  constexpr std::string_view end = "<!-- end of the generated part -->";
  std::string text = bytes_of(manual);
  const auto from = text.find(begin);
  const auto to = text.find(end);
  ASSERT_NE(from, std::string::npos) << manual;
  ASSERT_NE(to, std::string::npos) << manual;
  const auto start = from + begin.size();
  if (updating()) {
    std::ofstream(manual, std::ios::binary) << text.substr(0, start) + "\n" + wanted + text.substr(to);
  }
  EXPECT_EQ(text.substr(start, to - start), "\n" + wanted) << "DOMSMITH_UPDATE_GOLDEN=1 writes it anew";
}

}  // namespace domsmith::golden
