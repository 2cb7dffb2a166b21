#include "tests/house/source_tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"

namespace domsmith::house {
namespace {

namespace fs = std::filesystem;

bool skipped_folder(const std::string& name) {
  return name == "build" || (name.starts_with('.') && name != ".ci") || name.starts_with("cmake-build");
}

bool is_binary(std::string_view text) { return text.substr(0, 8192).find('\0') != std::string_view::npos; }

}  // namespace

Result<std::vector<SourceFile>> read_source_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  std::error_code error;
  fs::recursive_directory_iterator walk(root, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    const fs::directory_entry& entry = *walk;
    if (entry.is_directory() && !entry.is_symlink() && skipped_folder(entry.path().filename().string())) {
      walk.disable_recursion_pending();
    }
    if (!entry.is_regular_file() || entry.is_symlink() || entry.file_size() > (1U << 20)) {
      continue;
    }
    std::string text = TRY(read_file(entry.path()));
    if (is_binary(text)) {
      continue;
    }
    const bool executable = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
    files.push_back(
        {.path = fs::relative(entry.path(), root).string(), .text = std::move(text), .executable = executable});
  }
  if (error) {
    return fail_errno("cannot walk " + root.string(), error.value());
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

bool has_suffix(const SourceFile& file, std::string_view suffix) { return file.path.ends_with(suffix); }
bool is_cpp(const SourceFile& file) { return has_suffix(file, ".cc") || has_suffix(file, ".h"); }

std::string describe(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += fmt::format("{}:{}: {}\n", finding.path, finding.line, finding.text);
  }
  return text;
}

}  // namespace domsmith::house
