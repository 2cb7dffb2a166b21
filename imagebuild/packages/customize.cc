#include "imagebuild/packages/customize.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"
#include "imagebuild/packages/repositories.h"

namespace domsmith::packages {
namespace {

using agent::Step;
using agent::StepKind;
using Steps = std::vector<Step>;

void append(Steps& steps, Steps more) { std::ranges::move(more, std::back_inserter(steps)); }

Step exec(std::string title, std::vector<std::string> argv, std::string input = {}) {
  return {.kind = StepKind::exec, .title = std::move(title), .argv = std::move(argv), .input = std::move(input)};
}

bool gives_file(const Recipe& recipe, std::string_view path) {
  return std::ranges::any_of(recipe.files, [&](const RecipeFile& file) { return file.path == path; });
}

// The word behind root= on the kernel's command line, which fstab(5) wants too.
std::string root_device(const Recipe& recipe) {
  std::string_view rest = recipe.boot.cmdline;
  for (std::size_t start = 0; start < rest.size();) {
    const std::size_t end = std::min(rest.find(' ', start), rest.size());
    const std::string_view word = rest.substr(start, end - start);
    if (word.starts_with("root=")) {
      return std::string(word.substr(5));
    }
    start = end + 1;
  }
  return "LABEL=" + recipe.filesystem.label;
}

Step default_file(std::string path, std::string bytes) {
  return {.kind = StepKind::file, .title = fmt::format("file '{}'", path), .path = path, .input = std::move(bytes)};
}

// What a machine of this name has in /etc. A [[file]] of the same path takes the place of each.
Steps default_files(const Recipe& recipe) {
  const std::string& name = recipe.system.hostname;
  Steps all{
      default_file("/etc/hostname", name + "\n"),
      default_file("/etc/hosts", fmt::format("127.0.0.1\tlocalhost\n127.0.1.1\t{}\n\n"
                                             "::1\tlocalhost ip6-localhost ip6-loopback\n"
                                             "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n",
                                             name)),
      default_file("/etc/fstab",
                   fmt::format("{} / {} errors=remount-ro 0 1\n", root_device(recipe), recipe.filesystem.type)),
      default_file("/etc/default/locale", fmt::format("LANG={}\n", recipe.system.locale)),
  };
  std::erase_if(all, [&](const Step& step) { return gives_file(recipe, step.path); });
  return all;
}

// A clone's own apt goes on from where the build's left off.
Steps repository_steps(const Recipe& recipe) {
  Steps steps;
  for (AptFile& file : apt_files(recipe.repositories, recipe.pins, image_apt_folder)) {
    steps.push_back(default_file(fmt::format("{}/{}", image_apt_folder, file.path), std::move(file.bytes)));
  }
  std::erase_if(steps, [&](const Step& step) { return gives_file(recipe, step.path); });
  return steps;
}

Steps group_steps(const Recipe& recipe) {
  std::set<std::string> names;
  for (const RecipeUser& user : recipe.users) {
    names.insert(user.groups.begin(), user.groups.end());
  }
  Steps steps;
  for (const RecipeGroup& group : recipe.groups) {
    names.erase(group.name);
    std::vector<std::string> argv{"/usr/sbin/groupadd"};
    if (group.gid) {
      argv.insert(argv.end(), {"--gid", std::to_string(*group.gid)});
    }
    if (group.system) {
      argv.emplace_back("--system");
    }
    argv.push_back(group.name);
    steps.push_back(exec(fmt::format("group '{}'", group.name), std::move(argv)));
  }
  for (const std::string& name : names) {
    // --force: a group that a package brought is what the recipe means.
    steps.push_back(exec(fmt::format("group '{}'", name), {"/usr/sbin/groupadd", "--force", name}));
  }
  return steps;
}

Step useradd(const RecipeUser& user, const std::string& title) {
  std::vector<std::string> argv{"/usr/sbin/useradd", "--shell", user.shell, "--home-dir", user.home};
  if (user.uid) {
    argv.insert(argv.end(), {"--uid", std::to_string(*user.uid)});
  }
  if (!user.groups.empty()) {
    argv.insert(argv.end(), {"--groups", join(user.groups, ",")});
  }
  if (user.system) {
    argv.insert(argv.end(), {"--system", "--user-group"});
  }
  argv.emplace_back(user.system && user.ssh_keys.empty() ? "--no-create-home" : "--create-home");
  argv.push_back(user.name);
  return exec(title, std::move(argv));
}

// The hash goes through stdin: arguments of a program can be read by every process of the machine.
Step set_password(const std::string& title, const std::string& user, const std::string& hash) {
  return exec(title, {"/usr/sbin/chpasswd", "-e"}, fmt::format("{}:{}\n", user, hash));
}

// useradd makes the user's group under the user's name (login.defs(5), USERGROUPS_ENAB).
Steps user_steps(const RecipeUser& user) {
  const std::string title = fmt::format("user '{}'", user.name);
  Steps steps;
  if (user.name != "root") {
    steps.push_back(useradd(user, title));
  }
  if (user.password != "locked") {
    steps.push_back(set_password(fmt::format("password of {}", title), user.name, user.password));
  }
  if (!user.ssh_keys.empty()) {
    const std::string home = user.name == "root" ? "/root" : user.home;
    const std::string keys_title = fmt::format("SSH keys of {}", title);
    steps.push_back({.kind = StepKind::directory,
                     .title = keys_title,
                     .path = home + "/.ssh",
                     .mode = 0700,
                     .owner = user.name,
                     .group = user.name});
    steps.push_back({.kind = StepKind::file,
                     .title = keys_title,
                     .path = home + "/.ssh/authorized_keys",
                     .mode = 0600,
                     .owner = user.name,
                     .group = user.name,
                     .input = join(user.ssh_keys, "\n") + "\n"});
  }
  return steps;
}

// Folders that are there already keep their owner and mode, for /etc is in many a tree: they are made with the files.
Steps tree_steps(const RecipeTree& tree) {
  using Kind = RecipeTree::Node::Kind;
  Steps steps;
  for (const RecipeTree::Node& node : tree.nodes) {
    const std::string title = fmt::format("'{}' of the tree '{}'", node.path, tree.source);
    Step step{.title = title, .path = node.path, .mode = node.mode, .owner = tree.owner, .group = tree.group};
    switch (node.kind) {
      case Kind::folder:
        step.kind = StepKind::new_directory;
        break;
      case Kind::link:
        step.kind = StepKind::symlink;
        step.argv = {node.bytes};
        break;
      case Kind::file:
        step.kind = StepKind::file;
        step.input = node.bytes;
        break;
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

Step place(const RecipeFile& file, std::size_t number) {
  return {.kind = StepKind::file,
          .title = fmt::format("file '{}' ([[file]] {})", file.path, number),
          .path = file.path,
          .mode = file.mode,
          .owner = file.owner,
          .group = file.group,
          .input = file.bytes};
}

// /etc/resolv.conf is what the scripts reach the network by: the recipe's own comes when they are done.
constexpr std::string_view resolver = "/etc/resolv.conf";

Steps file_steps(const Recipe& recipe, bool late) {
  Steps steps;
  for (std::size_t i = 0; i < recipe.files.size(); ++i) {
    if ((recipe.files[i].path == resolver) == late) {
      steps.push_back(place(recipe.files[i], i + 1));
    }
  }
  return steps;
}

Steps setting_steps(const Recipe& recipe) {
  const Recipe::System& system = recipe.system;
  // A tree of [source] need not have the zones' data; without /etc/localtime it is UTC (localtime(5)).
  const bool by_itself = recipe.source.kind != RecipeSource::Kind::none && system.timezone == "Etc/UTC";
  Steps steps;
  if (!by_itself) {
    steps.push_back({.kind = StepKind::timezone,
                     .title = fmt::format("time zone '{}'", system.timezone),
                     .argv = {system.timezone}});
  }
  if (!system.locale.starts_with("C.") && system.locale != "C" && system.locale != "POSIX") {
    const std::string title = fmt::format("locale '{}'", system.locale);
    steps.push_back({.kind = StepKind::locale, .title = title, .argv = {system.locale}});
    steps.push_back(exec(title, {"/usr/sbin/locale-gen"}));
  }
  return steps;
}

Steps service_steps(const Recipe& recipe) {
  const bool systemd = recipe.distribution.name != "devuan";
  Steps steps;
  const auto add = [&](const std::string& verb, const std::vector<std::string>& services) {
    for (const std::string& service : services) {
      std::vector<std::string> argv{"/bin/systemctl", verb, service};
      if (!systemd) {
        argv = {"/usr/sbin/update-rc.d", service, verb == "enable" ? "defaults" : "disable"};
      }
      steps.push_back(exec(fmt::format("service '{}' ({})", service, verb), std::move(argv)));
    }
  };
  add("disable", recipe.system.services_disable);
  add("mask", recipe.system.services_mask);
  add("enable", recipe.system.services_enable);
  return steps;
}

// What is one machine's own, and what the build left behind. /etc/machine-id, apt's lists and caches, /run, /tmp and
// dpkg's logs are the engine's to clean (engine/housekeeping.h).
Steps cleaning_steps() {
  return {
      {.kind = StepKind::remove,
       .title = "what belongs to one machine",
       .argv = {"/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_*_key.pub", "/var/lib/systemd/random-seed",
                "/var/lib/systemd/credential.secret", "/var/lib/urandom/random-seed", "/var/lib/dhcp/*.leases",
                "/root/.bash_history"}},
      {.kind = StepKind::remove,
       .title = "what the build left behind",
       .argv = {"/etc/resolv.conf.bak", "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/subuid-",
                "/etc/subgid-", "/var/cache/debconf/*-old", "/var/lib/dpkg/*-old", "/var/log/bootstrap.log",
                "/var/log/journal/*"}},
      {.kind = StepKind::host_files, .title = "the host's /etc/resolv.conf"},
  };
}

}  // namespace

std::vector<agent::Step> phase_steps(const Recipe& recipe, RecipeScript::Phase phase) {
  Steps steps;
  for (std::size_t i = 0; i < recipe.scripts.size(); ++i) {
    const RecipeScript& script = recipe.scripts[i];
    if (script.phase == phase) {
      steps.push_back({.kind = StepKind::script,
                       .title = fmt::format("script '{}' ([[script]] {}){}", script.name, i + 1,
                                            script.network ? ", with network" : ""),
                       .network = script.network,
                       .input = script.bytes});
    }
  }
  return steps;
}

std::vector<agent::Step> customize_steps(const Recipe& recipe) {
  Steps steps;
  if (!recipe.packages.remove.empty()) {
    // dpkg, not apt: it refuses where something still needs the package, and never takes others along.
    std::vector<std::string> argv{"/usr/bin/dpkg", "--purge"};
    argv.insert(argv.end(), recipe.packages.remove.begin(), recipe.packages.remove.end());
    steps.push_back(exec("packages to remove", std::move(argv)));
  }
  append(steps, default_files(recipe));
  append(steps, repository_steps(recipe));
  append(steps, group_steps(recipe));
  for (const RecipeUser& user : recipe.users) {
    append(steps, user_steps(user));
  }
  if (recipe.system.root_password != "locked") {
    steps.push_back(set_password("password of root", "root", recipe.system.root_password));
  }
  for (const RecipeTree& tree : recipe.trees) {
    append(steps, tree_steps(tree));
  }
  append(steps, file_steps(recipe, false));
  append(steps, phase_steps(recipe, RecipeScript::Phase::customize));
  append(steps, setting_steps(recipe));
  append(steps, service_steps(recipe));
  append(steps, phase_steps(recipe, RecipeScript::Phase::final));
  append(steps, cleaning_steps());
  append(steps, file_steps(recipe, true));
  return steps;
}

}  // namespace domsmith::packages
