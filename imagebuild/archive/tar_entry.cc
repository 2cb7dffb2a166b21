#include "imagebuild/archive/tar_entry.h"

#include <fmt/format.h>

#include <cstring>

#include "base/text.h"
#include "imagebuild/archive/posix_acl.h"

namespace domsmith {
namespace {

constexpr std::int64_t most_id = 0xfffffffe;  // the last number means "none" to chown(2)
constexpr std::uint32_t setuid_bits = 06000;

std::string_view text_of(const char* text) { return text == nullptr ? std::string_view() : std::string_view(text); }

Result<EntryType> type_of(struct archive_entry* member) {
  if (archive_entry_hardlink(member) != nullptr) {
    return EntryType::hard_link;
  }
  switch (archive_entry_filetype(member)) {
    case AE_IFREG:
      return EntryType::regular;
    case AE_IFDIR:
      return EntryType::directory;
    case AE_IFLNK:
      return EntryType::symlink;
    case AE_IFCHR:
      return EntryType::character_device;
    case AE_IFBLK:
      return EntryType::block_device;
    case AE_IFIFO:
      return EntryType::fifo;
    case AE_IFSOCK:
      return EntryType::socket;
    default:
      return fail(ErrorCode::bad_input, "it is of a kind that no file system has");
  }
}

Result<std::uint32_t> id_of(std::int64_t id, std::string_view what) {
  if (id < 0 || id > most_id) {
    return fail(ErrorCode::bad_input, fmt::format("its {} {} is out of range", what, id));
  }
  return static_cast<std::uint32_t>(id);
}

Result<void> take_xattrs(struct archive_entry* member, const ArchiveLimits& limits, Entry& entry) {
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  std::size_t total = 0;
  archive_entry_xattr_reset(member);
  while (archive_entry_xattr_next(member, &name, &value, &size) == ARCHIVE_OK) {
    const std::string_view key = text_of(name);
    total += key.size() + size;
    if (total > limits.attribute_bytes) {
      return fail(ErrorCode::bad_input,
                  fmt::format("it has more than {} of attributes", size_text(limits.attribute_bytes)));
    }
    if (key.empty()) {
      return fail(ErrorCode::bad_input, "it has an attribute without a name");
    }
    entry.xattrs.insert_or_assign(std::string(key), std::string(static_cast<const char*>(value), size));
  }
  return take_acls(member, entry);
}

Result<void> take_target(struct archive_entry* member, const ArchiveLimits& limits, Entry& entry) {
  if (entry.type == EntryType::symlink) {
    entry.target = text_of(archive_entry_symlink(member));
    if (entry.target.empty()) {
      return fail(ErrorCode::bad_input, "it is a symbolic link to nothing");
    }
    if (entry.target.size() > limits.path_bytes) {
      return fail(ErrorCode::bad_input, fmt::format("it links to a path of more than {} bytes", limits.path_bytes));
    }
  }
  if (entry.type == EntryType::hard_link) {
    entry.target =
        TRY_AS(normalised_path(text_of(archive_entry_hardlink(member)), limits), "its target cannot be used");
  }
  return {};
}

Result<void> take_size(struct archive_entry* member, const ArchiveLimits& limits, Entry& entry) {
  const std::int64_t size = archive_entry_size_is_set(member) != 0 ? archive_entry_size(member) : 0;
  if (size < 0 || static_cast<std::uint64_t>(size) > limits.file_size) {
    return fail(ErrorCode::bad_input, fmt::format("it is larger than {}", size_text(limits.file_size)));
  }
  entry.size = static_cast<std::uint64_t>(size);
  return {};
}

}  // namespace

std::string shown_path(std::string_view raw) {
  std::string shown(raw.substr(0, 200));
  for (char& each : shown) {
    if (static_cast<unsigned char>(each) < 0x20 || each == 0x7f) {
      each = '?';
    }
  }
  return raw.size() > shown.size() ? shown + "..." : shown;
}

Result<std::string> normalised_path(std::string_view raw, const ArchiveLimits& limits) {
  if (raw.empty()) {
    return fail(ErrorCode::bad_input, "the name is empty");
  }
  if (raw.size() > limits.path_bytes) {
    return fail(ErrorCode::bad_input, fmt::format("the path is longer than {} bytes", limits.path_bytes));
  }
  const bool absolute = raw.front() == '/';
  std::string path;
  std::uint32_t depth = 0;
  while (!raw.empty()) {
    const std::size_t slash = raw.find('/');
    const std::string_view component = raw.substr(0, slash);
    raw = slash == std::string_view::npos ? std::string_view() : raw.substr(slash + 1);
    if (component.empty() || component == ".") {
      continue;
    }
    if (component == "..") {
      return fail(ErrorCode::bad_input, "a path with '..' could leave the image");
    }
    if (++depth > limits.depth) {
      return fail(ErrorCode::bad_input, fmt::format("the path is deeper than {} folders", limits.depth));
    }
    if (!path.empty()) {
      path += '/';
    }
    path += component;
  }
  if (absolute && !path.empty()) {
    return fail(ErrorCode::bad_input, "an absolute path could leave the image",
                "pack the tree with relative paths: tar -C TREE -c .");
  }
  return path;
}

Result<Entry> to_entry(struct archive_entry* member, const ArchiveLimits& limits) {
  Entry entry;
  entry.path = TRY(normalised_path(text_of(archive_entry_pathname(member)), limits));
  entry.type = TRY(type_of(member));
  entry.mode = static_cast<std::uint32_t>(archive_entry_mode(member)) & 07777;
  entry.uid = TRY(id_of(archive_entry_uid(member), "user number"));
  entry.gid = TRY(id_of(archive_entry_gid(member), "group number"));
  entry.mtime = {.seconds = archive_entry_mtime(member),
                 .nanoseconds = static_cast<std::uint32_t>(archive_entry_mtime_nsec(member))};
  TRY(take_target(member, limits, entry));
  if (entry.type == EntryType::regular) {
    TRY(take_size(member, limits, entry));
    if ((entry.mode & setuid_bits) != 0 && limits.setuid == ArchivePolicy::refuse) {
      return fail(ErrorCode::bad_input, "it would run with another user's rights");
    }
    if (limits.setuid == ArchivePolicy::skip) {
      entry.mode &= ~setuid_bits;
    }
  }
  if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
    entry.device_major = static_cast<std::uint32_t>(archive_entry_rdevmajor(member));
    entry.device_minor = static_cast<std::uint32_t>(archive_entry_rdevminor(member));
  }
  TRY(take_xattrs(member, limits, entry));
  return entry;
}

}  // namespace domsmith
