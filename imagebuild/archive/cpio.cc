#include "imagebuild/archive/cpio.h"

#include <fmt/format.h>

#include <utility>

namespace domsmith {
namespace {

constexpr std::uint32_t directory_bits = 0040000;
constexpr std::uint32_t file_bits = 0100000;
constexpr std::uint32_t symlink_bits = 0120000;
constexpr std::uint32_t character_bits = 0020000;
constexpr std::uint32_t block_bits = 0060000;
constexpr std::size_t most_bytes = 0xffffffff;

void pad_to_four(std::string& bytes) { bytes.append((4 - bytes.size() % 4) % 4, '\0'); }

Result<void> check_path(std::string_view path) {
  const auto refuse = [path](const char* why) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' cannot be a path of an initramfs: {}", path, why));
  };
  if (path.empty() || path.front() == '/' || path.back() == '/') {
    return refuse("it must be relative and must not end in a slash");
  }
  if (path.size() > 4095 || path.find('\0') != std::string_view::npos) {
    return refuse("it is too long or holds a zero byte");
  }
  const std::string framed = fmt::format("/{}/", path);
  if (framed.contains("//") || framed.contains("/./") || framed.contains("/../")) {
    return refuse("it is not a normalised one");
  }
  return {};
}

}  // namespace

struct CpioWriter::Member {
  std::string_view path;
  std::uint32_t mode = 0;
  std::string_view bytes;
  std::uint32_t links = 1;
  std::uint32_t device_major = 0, device_minor = 0;
};

// The header is ASCII: a magic and thirteen numbers of eight hexadecimal digits.
void CpioWriter::append(const Member& member) {
  bytes_ += fmt::format("070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}",
                        next_inode_++, member.mode, 0, 0, member.links, mtime_, member.bytes.size(), 0, 0,
                        member.device_major, member.device_minor, member.path.size() + 1, 0);
  bytes_ += member.path;
  bytes_ += '\0';
  pad_to_four(bytes_);
  bytes_ += member.bytes;
  pad_to_four(bytes_);
}

// Makes the parents and takes the name of a member that is no directory.
Result<void> CpioWriter::claim(std::string_view path) {
  TRY(check_path(path));
  if (directories_.contains(path) || !others_.emplace(path).second) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is in the initramfs twice", path));
  }
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? Result<void>() : directory(path.substr(0, slash));
}

Result<void> CpioWriter::directory(std::string_view path, std::uint32_t mode) {
  TRY(check_path(path));
  if (directories_.contains(path)) {
    return {};
  }
  if (others_.contains(path)) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is no directory in the initramfs", path));
  }
  if (const std::size_t slash = path.rfind('/'); slash != std::string_view::npos) {
    TRY(directory(path.substr(0, slash)));
  }
  directories_.emplace(path);
  append({.path = path, .mode = directory_bits | (mode & 07777), .bytes = {}, .links = 2});
  return {};
}

Result<void> CpioWriter::file(std::string_view path, std::string_view bytes, std::uint32_t mode) {
  if (bytes.size() > most_bytes) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is too large for an initramfs", path));
  }
  TRY(claim(path));
  append({.path = path, .mode = file_bits | (mode & 07777), .bytes = bytes});
  return {};
}

Result<void> CpioWriter::symlink(std::string_view path, std::string_view target) {
  if (target.empty() || target.size() > 4095) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' cannot link to a path of {} bytes", path, target.size()));
  }
  TRY(claim(path));
  append({.path = path, .mode = symlink_bits | 0777, .bytes = target});
  return {};
}

Result<void> CpioWriter::device(std::string_view path, std::uint32_t mode, bool block, std::uint32_t device_major,
                                std::uint32_t device_minor) {
  TRY(claim(path));
  append({.path = path,
          .mode = (block ? block_bits : character_bits) | (mode & 07777),
          .bytes = {},
          .links = 1,
          .device_major = device_major,
          .device_minor = device_minor});
  return {};
}

Result<std::string> CpioWriter::finish(Compression compression) {
  next_inode_ = 0;
  append({.path = "TRAILER!!!", .mode = 0, .bytes = {}});
  bytes_.append((512 - bytes_.size() % 512) % 512, '\0');
  std::string bytes = std::exchange(bytes_, {});
  directories_.clear();
  others_.clear();
  next_inode_ = 1;
  return compression == Compression::none ? Result<std::string>(std::move(bytes)) : compress(bytes, compression);
}

}  // namespace domsmith
