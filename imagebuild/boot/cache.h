// Boot files in dom0, by content: DIR/kernel-SHA256 and DIR/initrd-SHA256. A name says what the bytes are, so putting
// the same files again changes nothing, and images that share a kernel share its file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "imagebuild/boot/boot_files.h"

namespace domsmith::boot {

struct StoredBoot {
  std::filesystem::path kernel;  // absolute where DIR is
  std::filesystem::path initrd;
};

// A kernel or an initramfs beyond that is refused before it is read into memory.
inline constexpr std::uint64_t longest_boot_file = 256U << 20;

class BootCache {
 public:
  explicit BootCache(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Atomic and durable; a file that is there already is checked against its name and replaced if it was damaged.
  Result<StoredBoot> put(const BootFiles& files) const;
  [[nodiscard]] std::filesystem::path kernel_path(const std::string& sha256) const;
  [[nodiscard]] std::filesystem::path initrd_path(const std::string& sha256) const;
  // Their names, sorted; other files are left out.
  [[nodiscard]] Result<std::vector<std::string>> unreferenced(const std::set<std::string>& referenced) const;
  // Removes kernel-* and initrd-* whose SHA-256 is not in `referenced`; other files are left alone. Returns the removed
  // names.
  [[nodiscard]] Result<std::vector<std::string>> remove_unreferenced(const std::set<std::string>& referenced) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace domsmith::boot
