// What the agent does inside a half-built image: a list of steps, and how the list travels there.
//
// The agent is a static program of ours that runs as root in the chroot. The list is a file of netstrings
// (LENGTH ":" BYTES ",", http://cr.yp.to/proto/netstrings.txt), so that no byte of a recipe is ever seen by a shell:
//
//     file  = "domsmith-steps 2\n" count step*
//     step  = kind title path mode owner group network argc arg* input   (each one a netstring, numbers as decimal
//     text)
//
// The reader is strict: anything else, and anything behind the last step, refuses the whole file.
// Both ends are compiled from this header; it needs the standard library only, for the agent has nothing else.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace domsmith::agent {

enum class StepKind {
  exec,           // runs argv (argv[0] absolute) with `input` on stdin
  script,         // writes `input` to a private file, runs it by its own "#!" line, removes it
  file,           // writes `input` to `path` with mode, owner, group; missing parents are made 0755 root
  directory,      // makes `path` (and its parents) with mode, owner, group
  symlink,        // path -> argv[0], replacing what is there (not a directory)
  remove,         // removes argv: paths whose last part may hold `*`; folders with all they hold; absent ones are fine
  timezone,       // argv[0] = "Area/City": /etc/localtime, and /etc/timezone where the image has one
  locale,         // argv[0] = "de_DE.UTF-8": enables it in /etc/locale.gen, as /usr/share/i18n/SUPPORTED spells it
  new_directory,  // a directory like the above, where there is none yet; one that is there stays as it is
  host_files,     // puts away what the build took from the host: /etc/resolv.conf where it is a regular file
};

struct Step {
  StepKind kind = StepKind::exec;
  std::string title = {};  // for people: "script 'setup.sh' ([[script]] 2)"
  std::string path = {};
  std::uint32_t mode = 0644;
  std::string owner = "root";  // names of the image's own /etc/passwd and /etc/group
  std::string group = "root";
  bool network = false;  // script: the host's network, where there is one; otherwise only a loopback
  std::vector<std::string> argv = {};
  std::string input = {};

  bool operator==(const Step&) const = default;
};

std::string_view kind_name(StepKind kind);
std::string encode_steps(const std::vector<Step>& steps);
// The text of the error says what is wrong, and at which byte.
std::expected<std::vector<Step>, std::string> decode_steps(std::string_view bytes);

// What the agent writes to stderr, one line each:
//     domsmith-agent: begin N TOTAL TITLE
//     domsmith-agent: failed N REASON
inline constexpr std::string_view marker = "domsmith-agent: ";

}  // namespace domsmith::agent
