// Writes a cpio archive of the "newc" form, which is what the kernel unpacks as its initramfs
// (Documentation/driver-api/early-userspace/buffer-format.rst). The same calls give the same bytes: inode numbers are
// counted, owners are root, and times are what the caller says.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "imagebuild/archive/decompress.h"

namespace domsmith {

class CpioWriter {
 public:
  explicit CpioWriter(std::uint32_t mtime = 0) : mtime_(mtime) {}

  // Paths are relative ("usr/lib/modules"). Missing parents are added (mode 0755); a directory that is there already is
  // left out. bad_input for an empty, absolute or climbing path, a path given twice, or a file of 4 GiB and more.
  Result<void> directory(std::string_view path, std::uint32_t mode = 0755);
  Result<void> file(std::string_view path, std::string_view bytes, std::uint32_t mode = 0644);
  Result<void> symlink(std::string_view path, std::string_view target);
  Result<void> device(std::string_view path, std::uint32_t mode, bool block, std::uint32_t device_major,
                      std::uint32_t device_minor);

  // The whole archive, with its trailer; the writer is empty afterwards.
  Result<std::string> finish(Compression compression = Compression::none);

 private:
  struct Member;
  Result<void> claim(std::string_view path);
  void append(const Member& member);

  std::uint32_t mtime_;
  std::uint32_t next_inode_ = 1;
  std::set<std::string, std::less<>> directories_;
  std::set<std::string, std::less<>> others_;
  std::string bytes_;
};

}  // namespace domsmith
