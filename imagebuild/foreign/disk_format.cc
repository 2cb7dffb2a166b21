#include "imagebuild/foreign/disk_format.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <span>

#include "base/fd.h"

namespace domsmith::foreign {
namespace {

constexpr std::uint64_t external_data_file = 1U << 2;  // of the incompatible features

// Big-endian, as all of the header.
std::uint64_t number_at(std::string_view bytes, std::size_t offset, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    number = number << 8U | static_cast<unsigned char>(bytes[offset + i]);
  }
  return number;
}

}  // namespace

Result<void> check_qcow2_header(std::string_view header) {
  if (header.size() < qcow2_header_bytes || header.substr(0, 4) != std::string_view("QFI\xfb", 4)) {
    return fail(ErrorCode::bad_input, "it is no qcow2 image", "name its real format: --format raw");
  }
  const std::uint64_t version = number_at(header, 4, 4);
  if (version != 2 && version != 3) {
    return fail(ErrorCode::unsupported, fmt::format("it is a qcow2 image of version {}", version));
  }
  const bool backed = number_at(header, 8, 8) != 0;
  const bool data_elsewhere = version == 3 && (number_at(header, 72, 8) & external_data_file) != 0;
  if (backed || data_elsewhere) {
    return fail(ErrorCode::bad_input, "it is no whole image: it names another file as part of itself",
                "put both into one: qemu-img convert -O qcow2 IMAGE NEW");
  }
  return {};
}

Result<void> check_disk(const std::string& path, const std::string& format) {
  const Fd fd = TRY(open_fd(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0 || (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode))) {
    return fail(ErrorCode::bad_input, fmt::format("{} is no file and no disk", path));
  }
  if (format == "raw") {
    return {};
  }
  if (format != "qcow2") {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is no format of a disk image that can be read", format),
                "raw or qcow2; qemu-img convert makes one of others");
  }
  std::string header(qcow2_header_bytes, '\0');
  header.resize(TRY(pread_some(fd.get(), 0, std::as_writable_bytes(std::span(header)))));
  TRY_AS(check_qcow2_header(header), fmt::format("cannot use {}", path));
  return {};
}

}  // namespace domsmith::foreign
