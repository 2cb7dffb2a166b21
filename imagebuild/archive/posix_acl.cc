#include "imagebuild/archive/posix_acl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace domsmith {
namespace {

struct AclEntry {
  std::uint16_t tag = 0;
  std::uint16_t permissions = 0;
  std::uint32_t id = 0xffffffff;
};

std::uint16_t tag_of(int tag) {
  switch (tag) {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
      return 0x01;
    case ARCHIVE_ENTRY_ACL_USER:
      return 0x02;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
      return 0x04;
    case ARCHIVE_ENTRY_ACL_GROUP:
      return 0x08;
    case ARCHIVE_ENTRY_ACL_MASK:
      return 0x10;
    case ARCHIVE_ENTRY_ACL_OTHER:
      return 0x20;
    default:
      return 0;
  }
}

template <class T>
void put(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string encode(std::vector<AclEntry>& entries) {
  std::ranges::sort(entries, [](const AclEntry& a, const AclEntry& b) {
    return a.tag != b.tag ? a.tag < b.tag : a.id < b.id;  // the order the kernel asks for
  });
  std::string bytes;
  put(bytes, std::uint32_t{2});
  for (const AclEntry& each : entries) {
    put(bytes, each.tag);
    put(bytes, each.permissions);
    put(bytes, each.id);
  }
  return bytes;
}

Result<void> take(struct archive_entry* member, int wanted, const char* name, Entry& entry) {
  if (archive_entry_acl_reset(member, wanted) == 0) {
    return {};
  }
  std::vector<AclEntry> entries;
  int type = 0;
  int permissions = 0;
  int tag = 0;
  int id = 0;
  const char* who = nullptr;
  while (archive_entry_acl_next(member, wanted, &type, &permissions, &tag, &id, &who) == ARCHIVE_OK) {
    AclEntry each{.tag = tag_of(tag), .permissions = static_cast<std::uint16_t>(permissions & 7)};
    if (each.tag == 0) {
      return fail(ErrorCode::bad_input, "its access control list is not a POSIX one");
    }
    if (each.tag == 0x02 || each.tag == 0x08) {
      if (id < 0) {
        return fail(ErrorCode::bad_input,
                    fmt::format("its access control list names '{}' without a number", who == nullptr ? "" : who),
                    "pack the tree with numbers: tar --acls --numeric-owner");
      }
      each.id = static_cast<std::uint32_t>(id);
    }
    entries.push_back(each);
  }
  if (!entries.empty()) {
    entry.xattrs.insert_or_assign(name, encode(entries));
  }
  return {};
}

}  // namespace

Result<void> take_acls(struct archive_entry* member, Entry& entry) {
  if (entry.type == EntryType::symlink || entry.type == EntryType::hard_link) {
    return {};
  }
  TRY(take(member, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", entry));
  if (entry.type == EntryType::directory) {
    TRY(take(member, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default", entry));
  }
  return {};
}

}  // namespace domsmith
