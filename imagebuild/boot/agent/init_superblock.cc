#include "imagebuild/boot/agent/init_superblock.h"

#include <strings.h>

namespace domsmith::agent {
namespace {

constexpr std::size_t magic_at = 0x38;
constexpr std::size_t uuid_at = 0x68;
constexpr std::size_t label_at = 0x78;
constexpr std::size_t label_size = 16;

std::string uuid_text(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += (i == 4 || i == 6 || i == 8 || i == 10) ? "-" : "";
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace

std::optional<ExtName> read_ext_name(std::string_view superblock) {
  if (superblock.size() < superblock_size || superblock[magic_at] != '\x53' || superblock[magic_at + 1] != '\xEF') {
    return std::nullopt;
  }
  const auto label = superblock.substr(label_at, label_size);
  return ExtName{uuid_text(superblock.substr(uuid_at, 16)), std::string(label.substr(0, label.find('\0')))};
}

bool is_meant(std::string_view root, const ExtName& name) {
  if (root.starts_with("LABEL=")) {
    return root.substr(6) == name.label;
  }
  return root.starts_with("UUID=") && root.size() == 5 + name.uuid.size() &&
         ::strncasecmp(root.data() + 5, name.uuid.c_str(), name.uuid.size()) == 0;
}

}  // namespace domsmith::agent
