#include "tests/house/include_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>
#include <set>

namespace domsmith::house {
namespace {

// A folder may include the folders in its row (and what lies below them). The longest row that fits a file counts.
struct Room {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};
const std::vector<Room>& rooms() {
  static const std::vector<Room> table{
      {"base", {"base"}},
      {"imagebuild", {"base", "imagebuild"}},
      {"imagebuild/tree", {"base", "imagebuild/tree"}},
      {"imagebuild/recipe", {"base", "imagebuild/recipe"}},
      {"imagebuild/archive", {"base", "imagebuild/tree", "imagebuild/archive"}},
      {"imagebuild/extfs", {"base", "imagebuild/tree", "imagebuild/extfs"}},
      {"lvm-snapshots", {"base", "lvm-snapshots"}},
      {"provision", {"base", "imagebuild", "lvm-snapshots", "provision"}},
      {"provision/registry", {"base", "provision/identity", "provision/registry"}},
      {"provision/identity", {"base", "imagebuild", "provision/identity"}},
      {"provision/domain", {"base", "imagebuild/recipe", "provision/domain"}},
      {"provision/toolstack", {"base", "provision/domain", "provision/toolstack"}},
      {"hypervisor", {"base", "imagebuild", "lvm-snapshots", "provision", "hypervisor"}},
      {"iso", {"base", "imagebuild", "lvm-snapshots", "provision", "hypervisor", "iso"}},
      {"tests", {"base", "imagebuild", "lvm-snapshots", "provision", "hypervisor", "iso", "tests"}},
  };
  return table;
}

// The command line is the top of provision/: nothing below it may know it.
constexpr std::string_view kTopOfProvision = "provision/cli";

struct Library {
  std::string_view header;                // a whole header, or a folder ending in '/', or a stem ending in '*'
  std::vector<std::string_view> folders;  // empty: every folder
};
const std::vector<Library>& libraries() {
  static const std::vector<Library> table{
      {"fmt/", {}},
      {"nlohmann/", {}},
      {"spdlog/", {"base"}},
      {"nettle/", {"base"}},
      {"zlib.h", {"base"}},
      {"toml++/", {"imagebuild/recipe"}},
      {"archive.h", {"imagebuild/archive"}},
      {"archive_entry.h", {"imagebuild/archive"}},
      {"ext2fs/", {"imagebuild/extfs"}},
      {"et/", {"imagebuild/extfs"}},
      {"uuid/", {"imagebuild/extfs"}},
      {"guestfs.h", {"imagebuild/foreign"}},
      {"lvm2cmd.h", {"lvm-snapshots"}},
      {"libdevmapper.h", {"lvm-snapshots"}},
      {"sqlite3.h", {"provision/registry"}},
      {"libxlutil.h", {"provision/domain"}},
      {"libxl*", {"provision/toolstack"}},
      {"xentoollog.h", {"provision/domain", "provision/toolstack"}},
      {"xen*", {"provision/toolstack"}},
      {"CLI/", {"provision/cli"}},
      {"gtest/", {"tests"}},
      {"gmock/", {"tests"}},
  };
  return table;
}

// The C library's and the kernel's headers: free to all.
constexpr std::array kSystemFolders{"sys/", "linux/", "asm/", "net/", "netinet/", "arpa/", "bits/"};
constexpr std::array kSystemHeaders{
    "aio.h",     "crypt.h",  "dirent.h",   "dlfcn.h",    "endian.h", "err.h",      "fcntl.h",  "fnmatch.h",
    "getopt.h",  "glob.h",   "grp.h",      "langinfo.h", "locale.h", "mntent.h",   "poll.h",   "pthread.h",
    "pty.h",     "pwd.h",    "sched.h",    "signal.h",   "spawn.h",  "stdio.h",    "stdlib.h", "string.h",
    "strings.h", "syslog.h", "termios.h",  "time.h",     "unistd.h", "utmp.h",     "wchar.h",  "elf.h",
    "errno.h",   "limits.h", "byteswap.h", "malloc.h",   "netdb.h",  "nmmintrin.h"};

bool below(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

bool header_matches(std::string_view header, std::string_view pattern) {
  if (pattern.ends_with('/')) {
    return header.starts_with(pattern);
  }
  if (pattern.ends_with('*')) {
    return header.starts_with(pattern.substr(0, pattern.size() - 1));
  }
  return header == pattern;
}

bool is_system_header(std::string_view header) {
  if (header.find('.') == std::string_view::npos) {
    return header.find('/') == std::string_view::npos;  // <vector>
  }
  return std::ranges::any_of(kSystemFolders, [&](std::string_view folder) { return header.starts_with(folder); }) ||
         std::ranges::find(kSystemHeaders, header) != kSystemHeaders.end();
}

// The tests of a folder may use what the folder itself may: tests/unit/extfs stands for imagebuild/extfs.
bool is_test_of(std::string_view file, std::string_view folder) {
  const std::string_view last = folder.substr(folder.find_last_of('/') + 1);
  return below(file, fmt::format("tests/unit/{}", last == "lvm-snapshots" ? "stores" : last)) ||
         below(file, fmt::format("tests/unit/{}", last));
}

}  // namespace

std::vector<Include> includes_of(std::string_view text) {
  static const std::regex pattern(R"(^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  unsigned line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    ++line;
    std::match_results<std::string_view::const_iterator> match;
    const std::string_view content = text.substr(at, end - at);
    if (std::regex_search(content.begin(), content.end(), match, pattern)) {
      found.push_back({.line = line, .target = match[2].str(), .quoted = match[1].str() == "\""});
    }
    at = end + 1;
  }
  return found;
}

std::optional<std::string> room_objection(std::string_view file, std::string_view target) {
  if (below(target, kTopOfProvision) && below(file, "provision") && !below(file, kTopOfProvision)) {
    return "nothing below the command line may include provision/cli";
  }
  const Room* fitting = nullptr;
  for (const Room& room : rooms()) {
    if (below(file, room.folder) && (fitting == nullptr || room.folder.size() > fitting->folder.size())) {
      fitting = &room;
    }
  }
  if (fitting == nullptr) {
    return fmt::format("'{}' lies in no room of the house", file);
  }
  const bool allowed =
      std::ranges::any_of(fitting->may_include, [&](std::string_view room) { return below(target, room); });
  if (allowed) {
    return std::nullopt;
  }
  return fmt::format("{} may not include {}", fitting->folder, target);
}

std::optional<std::string> library_objection(std::string_view file, std::string_view target) {
  for (const Library& library : libraries()) {
    if (!header_matches(target, library.header)) {
      continue;
    }
    const bool allowed = library.folders.empty() || std::ranges::any_of(library.folders, [&](std::string_view folder) {
                           return below(file, folder) || is_test_of(file, folder);
                         });
    if (allowed) {
      return std::nullopt;
    }
    return fmt::format("<{}> belongs to {}", target, fmt::join(library.folders, " and "));
  }
  if (is_system_header(target)) {
    return std::nullopt;
  }
  return fmt::format("<{}> is of no library in the house's table (tests/house/include_graph.cc)", target);
}

std::vector<Finding> check_includes(const std::vector<SourceFile>& tree) {
  std::vector<Finding> findings;
  std::set<std::string_view> known;
  for (const SourceFile& file : tree) {
    known.insert(file.path);
  }
  for (const SourceFile& file : tree) {
    if (!is_cpp(file) && !has_suffix(file, ".c")) {
      continue;
    }
    for (const Include& include : includes_of(file.text)) {
      // A header beside the file may be named without its folder.
      const std::string beside = file.path.substr(0, file.path.find_last_of('/') + 1) + include.target;
      const auto objection = !include.quoted          ? library_objection(file.path, include.target)
                             : known.contains(beside) ? room_objection(file.path, beside)
                                                      : room_objection(file.path, include.target);
      if (objection) {
        findings.push_back({.path = file.path, .line = include.line, .text = *objection});
      }
    }
  }
  return findings;
}

}  // namespace domsmith::house
