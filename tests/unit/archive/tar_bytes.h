// Tar archives made byte by byte, so that a test can say things no tar program would.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "imagebuild/archive/tar.h"

namespace domsmith {

// One ustar header and its data (POSIX.1-2017, pax: ustar interchange format).
struct TarMember {
  std::string name;
  char type = '0';
  std::string data;
  std::string link = {};
  std::uint32_t mode = 0644;
  std::uint64_t uid = 0, gid = 0;
  std::uint64_t mtime = 1'600'000'000;
  std::uint32_t device_major = 0, device_minor = 0;
  std::map<std::string, std::string> pax = {};  // records of an extended header before it
  bool bad_checksum = false;
  std::uint64_t size_says = ~0ULL;  // the size field, where it is not that of `data`
};

std::string tar_member(const TarMember& member);
std::string tar_end();  // two blocks of zeroes
std::string tar(const std::vector<TarMember>& members);

// Remembers what it is given.
class RecordingSink final : public TreeSink {
 public:
  struct Got {
    Entry entry;
    std::string data;  // holes left out
    std::vector<DataRange> ranges;
  };
  Result<void> entry(const Entry& entry) override;
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Result<void> finish() override { return {}; }

  [[nodiscard]] const Got& only() const { return got.at(0); }
  std::vector<Got> got;
};

// Reads the bytes as an archive, through a pipe that a thread fills.
Result<ArchiveStats> read_bytes(std::string_view bytes, TreeSink& sink, const ArchiveLimits& limits = {});
// The error's text, or "done".
std::string outcome(std::string_view bytes, const ArchiveLimits& limits = {});

}  // namespace domsmith
