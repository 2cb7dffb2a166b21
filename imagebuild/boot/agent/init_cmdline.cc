#include "imagebuild/boot/agent/init_cmdline.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace domsmith::agent {
namespace {

struct MountFlag {
  std::string_view name;
  unsigned long flag;
  bool sets;
};
constexpr std::array<MountFlag, 13> mount_flags{{{"ro", MS_RDONLY, true},
                                                 {"rw", MS_RDONLY, false},
                                                 {"noatime", MS_NOATIME, true},
                                                 {"nodiratime", MS_NODIRATIME, true},
                                                 {"relatime", MS_RELATIME, true},
                                                 {"strictatime", MS_STRICTATIME, true},
                                                 {"lazytime", MS_LAZYTIME, true},
                                                 {"nosuid", MS_NOSUID, true},
                                                 {"nodev", MS_NODEV, true},
                                                 {"noexec", MS_NOEXEC, true},
                                                 {"sync", MS_SYNCHRONOUS, true},
                                                 {"dirsync", MS_DIRSYNC, true},
                                                 {"defaults", 0, true}}};

bool set_flag(std::string_view name, unsigned long& flags) {
  const auto* known =
      std::find_if(mount_flags.begin(), mount_flags.end(), [&](const auto& f) { return f.name == name; });
  if (known == mount_flags.end()) {
    return false;
  }
  flags = known->sets ? flags | known->flag : flags & ~known->flag;
  return true;
}

void read_flags(std::string_view text, RootOptions& options) {
  while (!text.empty()) {
    const auto flag = text.substr(0, text.find(','));
    text.remove_prefix(std::min(flag.size() + 1, text.size()));
    if (!flag.empty() && !set_flag(flag, options.mount_flags)) {
      options.data += (options.data.empty() ? "" : ",") + std::string(flag);
    }
  }
}

// rootdelay= is how long old firmware needs; here it makes the deadline later, for the device is waited for anyway.
void read_delay(std::string_view text, RootOptions& options) {
  unsigned seconds = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (code == std::errc() && options.wait_seconds) {
    options.wait_seconds = std::max(*options.wait_seconds, std::min(seconds, 86400U));
  }
}

bool same_module(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return a == b || (a == '_' && b == '-') || (a == '-' && b == '_'); });
}

}  // namespace

std::vector<std::string> cmdline_words(std::string_view cmdline) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (const char c : cmdline) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
      if (!word.empty()) {
        words.push_back(word);
        word.clear();
      }
    } else {
      word += c;
    }
  }
  if (!word.empty()) {
    words.push_back(word);
  }
  return words;
}

RootOptions read_root_options(std::string_view cmdline) {
  RootOptions options;
  options.mount_flags = MS_RDONLY;  // the kernel's own default
  for (const std::string& whole : cmdline_words(cmdline)) {
    const std::string_view word = whole;
    const auto value = word.substr(std::min(word.find('=') + 1, word.size()));
    if (word.starts_with("root=")) {
      options.root = value;
    } else if (word.starts_with("rootfstype=")) {
      options.type = value;
    } else if (word.starts_with("rootflags=")) {
      read_flags(value, options);
    } else if (word.starts_with("init=")) {
      options.init = value;
    } else if (word.starts_with("rootdelay=")) {
      read_delay(value, options);
    } else if (word == "rootwait") {
      options.wait_seconds.reset();
    } else if (word == "ro" || word == "rw") {
      set_flag(word, options.mount_flags);
    }
  }
  return options;
}

std::string module_options(std::string_view cmdline, std::string_view module) {
  std::string options;
  for (const std::string& word : cmdline_words(cmdline)) {
    const auto dot = word.find('.');
    const auto equals = word.find('=');
    if (dot != std::string::npos && dot < equals && same_module(std::string_view(word).substr(0, dot), module)) {
      options += (options.empty() ? "" : " ") + word.substr(dot + 1);
    }
  }
  return options;
}

}  // namespace domsmith::agent
