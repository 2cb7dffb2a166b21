// The files that a recipe names by `source`: read from the recipe's folder and from nowhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

class SourceFolder {
 public:
  static constexpr std::uint64_t file_limit = 16ULL << 20;   // bytes of one file
  static constexpr std::uint64_t total_limit = 64ULL << 20;  // of all files of a recipe

  explicit SourceFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // A regular file's bytes. `relative` is normalised and has no "..". A symbolic link that leads out of the folder is
  // refused (openat2(2), RESOLVE_BENEATH). The Error's `what` is a short reason: "there is no such file".
  Result<std::string> read(const std::string& relative);

 private:
  Result<Fd> open(const std::string& relative);
  std::filesystem::path folder_;
  Fd root_;
  std::uint64_t total_ = 0;
};

}  // namespace domsmith
