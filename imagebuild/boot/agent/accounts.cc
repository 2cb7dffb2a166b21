#include "imagebuild/boot/agent/accounts.h"

#include <charconv>

#include "imagebuild/boot/agent/place.h"

namespace domsmith::agent {
namespace {

bool to_number(std::string_view text, std::uint32_t& value) {
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size();
}

// Field `index` of a line of colon-separated fields; empty where there are fewer.
std::string_view field(std::string_view line, unsigned index) {
  for (; index > 0; --index) {
    auto colon = line.find(':');
    if (colon == std::string_view::npos) {
      return {};
    }
    line.remove_prefix(colon + 1);
  }
  return line.substr(0, line.find(':'));
}

}  // namespace

std::expected<std::uint32_t, std::string> find_id(std::string_view table, std::string_view name) {
  std::uint32_t id = 0;
  if (to_number(name, id)) {
    return id;
  }
  while (!table.empty()) {
    auto line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    if (field(line, 0) == name && to_number(field(line, 2), id)) {
      return id;
    }
  }
  return std::unexpected("'" + std::string(name) + "' does not exist in the image");
}

std::expected<Owner, std::string> find_owner(const std::string& root, const std::string& user,
                                             const std::string& group) {
  // The usual case needs no table, and works before base-passwd is configured.
  if (user == "root" && group == "root") {
    return Owner{};
  }
  auto users = read_small_file(root + "/etc/passwd");
  auto groups = read_small_file(root + "/etc/group");
  if (!users || !groups) {
    return std::unexpected(users ? groups.error() : users.error());
  }
  auto uid = find_id(*users, user);
  auto gid = find_id(*groups, group);
  if (!uid) {
    return std::unexpected("user " + uid.error());
  }
  if (!gid) {
    return std::unexpected("group " + gid.error());
  }
  return Owner{*uid, *gid};
}

}  // namespace domsmith::agent
