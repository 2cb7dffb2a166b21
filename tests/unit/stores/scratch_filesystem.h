// A small file system of its own, loop-mounted in a temporary folder; for root on hosts that have loop devices.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace domsmith::testing {

class ScratchFilesystem {
 public:
  // ext4, xfs, btrfs or tmpfs. The error says why this host can't.
  static Result<ScratchFilesystem> make(const std::string& type, std::uint64_t size);
  ScratchFilesystem(ScratchFilesystem&&) noexcept = default;
  ScratchFilesystem& operator=(ScratchFilesystem&&) = delete;
  ~ScratchFilesystem();
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "mnt"; }

 private:
  explicit ScratchFilesystem(TemporaryDirectory folder) : folder_(std::move(folder)) {}
  TemporaryDirectory folder_;
};

}  // namespace domsmith::testing
