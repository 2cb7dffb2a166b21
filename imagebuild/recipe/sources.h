// The files that a recipe names by `source`: read from the recipe's folder and from nowhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "imagebuild/recipe/recipe.h"

namespace domsmith {

class SourceFolder {
 public:
  static constexpr std::uint64_t file_limit = 16ULL << 20;   // bytes of one file
  static constexpr std::uint64_t total_limit = 64ULL << 20;  // of all files of a recipe

  explicit SourceFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // A regular file's bytes. `relative` is normalised and has no "..". A symbolic link that leads out of the folder is
  // refused (openat2(2), RESOLVE_BENEATH). The Error's `what` is a short reason: "there is no such file".
  Result<std::string> read(const std::string& relative);
  // A folder with all that it holds, as it is to stand at `path` of an image. A link is taken as a link. At most 4096
  // files and 32 levels.
  Result<std::vector<RecipeTree::Node>> read_tree(const std::string& relative, const std::string& path);
  // A file or folder, open for reading; the same rule for links.
  Result<Fd> open(const std::string& relative);

 private:
  Result<std::string> read_open(const Fd& file);
  Result<void> read_folder(int folder, const std::string& path, int depth, std::vector<RecipeTree::Node>& nodes);
  std::filesystem::path folder_;
  Fd root_;
  std::uint64_t total_ = 0;
};

}  // namespace domsmith
