#include <cstdint>
#include <cstring>

#include "imagebuild/extfs/attributes.h"

namespace domsmith::extfs {
namespace {

constexpr std::uint32_t shown_version = 2;  // POSIX_ACL_XATTR_VERSION
constexpr std::uint32_t disk_version = 1;   // EXT4_ACL_VERSION
constexpr std::uint32_t no_id = 0xffffffff;

enum Tag : std::uint16_t { user_obj = 1, user = 2, group_obj = 4, group = 8, mask = 16, other = 32 };

bool names_someone(std::uint16_t tag) { return tag == user || tag == group; }
bool known(std::uint16_t tag) {
  return names_someone(tag) || tag == user_obj || tag == group_obj || tag == mask || tag == other;
}

template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <class T>
void put(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::unexpected<Error> broken() { return fail(ErrorCode::bad_input, "the access control list is broken"); }

}  // namespace

Result<std::string> acl_to_disk(std::string_view value) {
  if (value.size() < 4 || get<std::uint32_t>(value, 0) != shown_version || (value.size() - 4) % 8 != 0) {
    return broken();
  }
  std::string disk;
  put(disk, disk_version);
  for (std::size_t at = 4; at < value.size(); at += 8) {
    const auto tag = get<std::uint16_t>(value, at);
    if (!known(tag)) {
      return broken();
    }
    put(disk, tag);
    put(disk, get<std::uint16_t>(value, at + 2));
    if (names_someone(tag)) {
      put(disk, get<std::uint32_t>(value, at + 4));
    }
  }
  return disk;
}

Result<std::string> acl_from_disk(std::string_view value) {
  if (value.size() < 4 || get<std::uint32_t>(value, 0) != disk_version) {
    return broken();
  }
  std::string shown;
  put(shown, shown_version);
  for (std::size_t at = 4; at < value.size();) {
    if (value.size() - at < 4) {
      return broken();
    }
    const auto tag = get<std::uint16_t>(value, at);
    if (!known(tag) || (names_someone(tag) && value.size() - at < 8)) {
      return broken();
    }
    put(shown, tag);
    put(shown, get<std::uint16_t>(value, at + 2));
    put(shown, names_someone(tag) ? get<std::uint32_t>(value, at + 4) : no_id);
    at += names_someone(tag) ? 8 : 4;
  }
  return shown;
}

}  // namespace domsmith::extfs
