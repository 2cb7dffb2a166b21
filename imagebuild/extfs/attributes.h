// Extended attributes as ext4 keeps them: behind the inode's fields while they fit there, the rest in one block.
// On-disk format: Documentation/filesystems/ext4/attributes.rst; ACLs: fs/ext4/acl.h against
// include/uapi/linux/posix_acl_xattr.h.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imagebuild/extfs/ext2.h"

namespace domsmith::extfs {

using AttributeMap = std::map<std::string, std::string>;

struct EncodedAttributes {
  std::vector<std::byte> in_inode;  // what follows the extra fields; empty: none
  std::vector<std::byte> block;     // without reference count and checksum; empty: none
};

// `inode_room`: bytes behind the inode's extra fields. bad_input for a name ext4 has no place for, a broken ACL, or
// more than fits.
Result<EncodedAttributes> encode_attributes(ext2_filsys fs, const AttributeMap& attributes, std::size_t inode_room);

// The value of system.posix_acl_access or _default, as the kernel shows it, in ext4's shorter form; and back.
Result<std::string> acl_to_disk(std::string_view value);
Result<std::string> acl_from_disk(std::string_view value);

}  // namespace domsmith::extfs
