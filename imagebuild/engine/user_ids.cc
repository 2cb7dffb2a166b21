// map_user_ids(): the parent's part of a user namespace.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <optional>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/engine/inside.h"

namespace domsmith::engine {
namespace {

constexpr std::uint32_t most_ids = 65535;  // beside root: up to "nogroup" and one more

struct IdRange {
  std::uint32_t first = 0, count = 0;
};

// subuid(5): NAME:FIRST:COUNT, the name may be a number.
std::optional<IdRange> range_of(std::string_view table, std::string_view user, std::string_view id) {
  for (const std::string& line : split_lines(table)) {
    const std::size_t colon = line.find(':');
    const std::size_t second = line.find(':', colon + 1);
    if (colon == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string_view name = std::string_view(line).substr(0, colon);
    IdRange range;
    std::from_chars(line.data() + colon + 1, line.data() + second, range.first);
    std::from_chars(line.data() + second + 1, line.data() + line.size(), range.count);
    if ((name == user || name == id) && range.count > 0) {
      return range;
    }
  }
  return std::nullopt;
}

Result<void> map(const char* program, const char* table, pid_t child, std::uint32_t own) {
  const std::string id = std::to_string(::getuid());
  const passwd* entry = ::getpwuid(::getuid());
  const auto range = range_of(TRY(read_file(table, 1U << 20)), entry != nullptr ? entry->pw_name : id, id);
  if (!range) {
    return fail(ErrorCode::unsupported, fmt::format("this user has no range of ids in {}", table),
                "domsmith doctor says how to get one; or build as root");
  }
  Command command;
  command.argv = {TRY(find_program(program)),
                  std::to_string(child),
                  "0",
                  std::to_string(own),
                  "1",
                  "1",
                  std::to_string(range->first),
                  std::to_string(std::min(range->count, most_ids))};
  TRY(run_checked(command));
  return {};
}

}  // namespace

Result<void> map_user_ids(pid_t child, int peer, bool user) {
  char byte = 0;
  if (::read(peer, &byte, 1) != 1) {
    return {};  // the child has ended, and says why on its stderr
  }
  if (user) {
    TRY(map("newuidmap", "/etc/subuid", child, ::getuid()));
    TRY(map("newgidmap", "/etc/subgid", child, ::getgid()));
  }
  if (::write(peer, &byte, 1) != 1) {
    return fail(ErrorCode::failed, "the process that builds has ended early");
  }
  return {};
}

}  // namespace domsmith::engine
