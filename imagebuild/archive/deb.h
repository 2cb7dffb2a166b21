// A Debian package file: an ar(5) archive of debian-binary, control.tar and data.tar, each compressed or not (deb(5)).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "imagebuild/archive/tar.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

struct ControlFile {
  std::string bytes;
  std::uint32_t mode = 0644;
};
using ControlFiles = std::map<std::string, ControlFile, std::less<>>;  // "control", "postinst", "conffiles", …

class DebFile {
 public:
  // bad_input where the file is no package of format 2, or names a SHA-256 other than `sha256` (64 hex digits; empty:
  // it is not looked at).
  static Result<DebFile> open(const std::string& path, const std::string& sha256 = {});

  [[nodiscard]] Result<ControlFiles> control() const;
  // The sink's finish() is left to the caller.
  Result<void> data(TreeSink& sink, const ArchiveLimits& limits) const;

 private:
  struct Part {
    std::uint64_t offset = 0, length = 0;
  };
  DebFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<void> find_parts();
  [[nodiscard]] Result<void> read_part(const Part& part, TreeSink& sink, const ArchiveLimits& limits) const;

  Fd fd_;
  std::string path_;
  Part control_, data_;
};

}  // namespace domsmith
