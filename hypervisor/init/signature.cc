#include "hypervisor/init/signature.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace domsmith::host_init {
namespace {

constexpr std::size_t sector = 512;

bool has_md_magic(int fd, off_t at) {
  constexpr std::array<unsigned char, 4> magic{0xfc, 0x4e, 0x2b, 0xa9};  // 0xa92b4efc, little-endian: linux/raid/md_p.h
  std::array<unsigned char, 4> bytes{};
  return at >= 0 && ::pread(fd, bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()) && bytes == magic;
}

// Where mdadm(8) puts the four kinds of superblocks.
bool is_array_member(int fd, off_t size) {
  constexpr off_t kib = 1024;
  const off_t version_0_90 = size / (64 * kib) * (64 * kib) - 64 * kib;
  const off_t version_1_0 = (size - 8 * kib) / (4 * kib) * (4 * kib);
  return has_md_magic(fd, 0) || has_md_magic(fd, 4 * kib) || has_md_magic(fd, version_1_0) ||
         has_md_magic(fd, version_0_90);
}

bool has_lvm_label(int fd) {
  constexpr std::size_t type_at = 24;  // behind the number of its sector, a checksum and an offset
  std::array<char, 4 * sector> bytes{};
  if (::pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return false;
  }
  const std::string_view text(bytes.data(), bytes.size());
  for (std::size_t at = 0; at < text.size(); at += sector) {
    if (text.substr(at).starts_with("LABELONE") && text.substr(at + type_at).starts_with("LVM2 001")) {
      return true;
    }
  }
  return false;
}

}  // namespace

Signatures read_signatures(const std::string& device) {
  const int fd = ::open(device.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return {};
  }
  const Signatures found{.volumes = has_lvm_label(fd), .array_member = is_array_member(fd, ::lseek(fd, 0, SEEK_END))};
  ::close(fd);
  return found;
}

}  // namespace domsmith::host_init
