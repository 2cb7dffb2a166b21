#include "imagebuild/extfs/attributes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <tuple>

namespace domsmith::extfs {
namespace {

constexpr std::size_t entry_bytes = sizeof(struct ext2_ext_attr_entry);
constexpr std::size_t end_mark = 4;  // zero bytes behind the last entry

struct Attribute {
  std::uint8_t index = 0;  // stands for the prefix of the name
  std::string name;        // without it
  std::string value;       // as on disk

  [[nodiscard]] std::size_t bytes() const { return EXT2_EXT_ATTR_LEN(name.size()) + EXT2_EXT_ATTR_SIZE(value.size()); }
  // The order that the kernel's search in a block relies on (fs/ext4/xattr.c, xattr_find_entry).
  [[nodiscard]] auto order() const { return std::make_tuple(index, name.size(), std::string_view(name)); }
};

struct Prefix {
  std::string_view text;
  std::uint8_t index;
};
constexpr Prefix prefixes[] = {{"user.", 1}, {"trusted.", 4}, {"security.", 6}, {"system.", 7}};

Result<Attribute> translate(const std::string& name, const std::string& value) {
  if (name == "system.posix_acl_access" || name == "system.posix_acl_default") {
    const std::uint8_t index = name.ends_with("access") ? 2 : 3;
    return Attribute{
        .index = index, .name = {}, .value = TRY_AS(acl_to_disk(value), fmt::format("cannot keep '{}'", name))};
  }
  for (const Prefix& prefix : prefixes) {
    if (name.starts_with(prefix.text) && name.size() > prefix.text.size()) {
      std::string rest = name.substr(prefix.text.size());
      if (rest.size() > 255) {
        return fail(ErrorCode::bad_input, fmt::format("the attribute name '{}' is longer than 255 bytes", name));
      }
      return Attribute{.index = prefix.index, .name = std::move(rest), .value = value};
    }
  }
  return fail(ErrorCode::bad_input, fmt::format("ext4 has no place for an attribute named '{}'", name),
              "names begin with user., trusted., security. or system.");
}

// Entries grow from the front of `area` and values from its end; offsets of values count from `origin` bytes before it.
Result<void> pack(ext2_filsys fs, std::span<std::byte> area, std::size_t origin,
                  std::span<const Attribute> attributes) {
  std::size_t front = 0;
  std::size_t back = area.size();
  for (const Attribute& each : attributes) {
    back -= EXT2_EXT_ATTR_SIZE(each.value.size());
    std::memcpy(area.data() + back, each.value.data(), each.value.size());
    auto* entry = reinterpret_cast<struct ext2_ext_attr_entry*>(area.data() + front);
    entry->e_name_len = static_cast<__u8>(each.name.size());
    entry->e_name_index = each.index;
    entry->e_value_offs = static_cast<__u16>(each.value.empty() ? 0 : back + origin);
    entry->e_value_size = static_cast<__u32>(each.value.size());
    std::memcpy(area.data() + front + entry_bytes, each.name.data(), each.name.size());
    TRY(ext2_check(fs, ext2fs_ext_attr_hash_entry2(fs, entry, area.data() + back, &entry->e_hash),
                   "cannot sum up an attribute"));
    front += EXT2_EXT_ATTR_LEN(each.name.size());
  }
  return {};
}

Result<std::vector<std::byte>> make_block(ext2_filsys fs, std::span<const Attribute> attributes) {
  std::vector<std::byte> block(fs->blocksize);
  auto* header = reinterpret_cast<struct ext2_ext_attr_header*>(block.data());
  header->h_magic = EXT2_EXT_ATTR_MAGIC;
  header->h_blocks = 1;
  const auto area = std::span(block).subspan(sizeof *header);
  TRY(pack(fs, area, sizeof *header, attributes));
  std::size_t entries = 0;
  for (const Attribute& each : attributes) {
    entries += EXT2_EXT_ATTR_LEN(each.name.size());
  }
  ext2fs_ext_attr_block_rehash(header, reinterpret_cast<struct ext2_ext_attr_entry*>(area.data() + entries));
  return block;
}

Result<std::vector<std::byte>> make_in_inode(ext2_filsys fs, std::span<const Attribute> attributes, std::size_t room) {
  std::vector<std::byte> bytes(room);
  const std::uint32_t magic = EXT2_EXT_ATTR_MAGIC;
  std::memcpy(bytes.data(), &magic, sizeof magic);
  TRY(pack(fs, std::span(bytes).subspan(sizeof magic), 0, attributes));
  return bytes;
}

}  // namespace

Result<EncodedAttributes> encode_attributes(ext2_filsys fs, const AttributeMap& attributes, std::size_t inode_room) {
  std::vector<Attribute> inside;
  std::vector<Attribute> outside;
  std::size_t room = inode_room > 8 ? inode_room - sizeof(__u32) - end_mark : 0;
  std::size_t block_room = fs->blocksize - sizeof(struct ext2_ext_attr_header) - end_mark;
  for (const auto& [name, value] : attributes) {
    Attribute each = TRY(translate(name, value));
    if (each.value.size() <= room && each.bytes() <= room) {
      room -= each.bytes();
      inside.push_back(std::move(each));
    } else if (each.value.size() <= block_room && each.bytes() <= block_room) {
      block_room -= each.bytes();
      outside.push_back(std::move(each));
    } else {
      return fail(ErrorCode::bad_input, fmt::format("the attribute '{}' of {} bytes does not fit: ext4 keeps about {} "
                                                    "bytes of attributes for a file",
                                                    name, value.size(), fs->blocksize));
    }
  }
  std::ranges::sort(outside, {}, &Attribute::order);
  EncodedAttributes encoded;
  if (!inside.empty()) {
    encoded.in_inode = TRY(make_in_inode(fs, inside, inode_room));
  }
  if (!outside.empty()) {
    encoded.block = TRY(make_block(fs, outside));
  }
  return encoded;
}

}  // namespace domsmith::extfs
