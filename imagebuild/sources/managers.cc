#include "imagebuild/sources/managers.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json_text.h"
#include "base/text.h"
#include "imagebuild/sources/namespaces.h"

namespace domsmith::sources {
namespace {

using Kind = RecipeSource::Kind;

constexpr const char* rpm_list = "/usr/lib/domsmith/packages.json";  // imagebuild/build.h, rpm_list_path

std::string in_scratch(std::string_view name) { return fmt::format("{}/{}", scratch_folder, name); }

// rpm's and pacman's word for Debian's
std::string machine_word(const std::string& architecture) {
  return architecture == "amd64"   ? "x86_64"
         : architecture == "arm64" ? "aarch64"
         : architecture == "armhf" ? "armv7h"
                                   : "i686";
}

Command command(std::vector<std::string> argv) {
  return {.argv = std::move(argv),
          .environment = {fmt::format("TMPDIR={}", scratch_folder), fmt::format("HOME={}", scratch_folder)},
          .working_directory = "/"};
}

std::vector<std::string> key_files(const RecipeSource& source, ManagerRun& run) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < source.key_bytes.size(); ++i) {
    paths.push_back(in_scratch(fmt::format("key-{}.asc", i + 1)));
    run.files.push_back({.path = paths.back(), .bytes = source.key_bytes[i]});
  }
  return paths;
}

ManagerRun plan_dnf(const RecipeSource& source, const std::vector<std::string>& packages, const std::string& machine) {
  ManagerRun run;
  std::string urls;
  for (const std::string& path : key_files(source, run)) {
    urls += fmt::format("{}file://{}", urls.empty() ? "" : " ", path);
  }
  std::string text = fmt::format(
      "[main]\ngpgcheck={0}\nlocalpkg_gpgcheck={0}\nplugins=0\nreposdir={1}\ncachedir={2}\nlogdir={3}\npersistdir={3}\n"
      "install_weak_deps=0\nbest=1\n",
      source.is_unsigned ? 0 : 1, in_scratch("repos"), in_scratch("cache"), in_scratch("log"));
  for (std::size_t i = 0; i < source.repositories.size(); ++i) {
    text += fmt::format("\n[recipe-{0}]\nname=recipe-{0}\nbaseurl={1}\nenabled=1\n", i + 1, source.repositories[i]);
    text += urls.empty() ? "" : fmt::format("gpgkey={}\n", urls);
  }
  run.files.push_back({.path = in_scratch("dnf.conf"), .bytes = std::move(text)});
  // Debian's rpm keeps its database in the home of its user; a system of rpm's own has it there.
  run.files.push_back({.path = in_scratch(".rpmmacros"), .bytes = "%_dbpath /var/lib/rpm\n"});
  std::vector<std::string> argv{"/usr/bin/dnf",
                                "--config=" + in_scratch("dnf.conf"),
                                fmt::format("--installroot={}", tree_folder),
                                "--forcearch=" + machine,
                                "--releasever=" + (source.release.empty() ? std::string("1") : source.release),
                                "--noplugins",
                                "--assumeyes",
                                "install"};
  argv.insert(argv.end(), packages.begin(), packages.end());
  run.commands.push_back(command(std::move(argv)));
  return run;
}

ManagerRun plan_pacman(const RecipeSource& source, const std::vector<std::string>& packages,
                       const std::string& machine) {
  ManagerRun run;
  std::string text = fmt::format(
      "[options]\nRootDir={0}\nDBPath={0}/var/lib/pacman\nCacheDir={1}\nGPGDir={2}\nLogFile={3}\nHookDir={0}/etc/"
      "pacman.d/"
      "hooks\nArchitecture={4}\nSigLevel={5}\n",
      tree_folder, in_scratch("cache"), in_scratch("gnupg"), in_scratch("log"), machine,
      source.is_unsigned ? "Never" : "Required DatabaseOptional TrustAll");
  for (const std::string& repository : source.repositories) {
    const std::size_t equals = repository.find('=');
    text += fmt::format("\n[{}]\nServer={}\n", repository.substr(0, equals), repository.substr(equals + 1));
  }
  run.files.push_back({.path = in_scratch("pacman.conf"), .bytes = std::move(text)});
  if (const std::vector<std::string> keys = key_files(source, run); !keys.empty()) {
    std::vector<std::string> argv{"/usr/bin/gpg", "--homedir",      in_scratch("gnupg"),
                                  "--batch",      "--no-autostart", "--import"};
    argv.insert(argv.end(), keys.begin(), keys.end());
    run.commands.push_back(command(std::move(argv)));
  }
  std::vector<std::string> argv{"/usr/bin/pacman", "--config=" + in_scratch("pacman.conf"), "--noconfirm",
                                "--noprogressbar", "-Sy"};
  argv.insert(argv.end(), packages.begin(), packages.end());
  run.commands.push_back(command(std::move(argv)));
  return run;
}

// rpm's database is one that rpm alone reads: what it holds is written down for those that have none.
Result<void> write_rpm_list() {
  const auto listed = TRY(run_checked(command(
      {TRY(find_program("rpm")), "--root", tree_folder, "-qa", "--queryformat", "%{NAME}\\t%{EVR}\\t%{ARCH}\\n"})));
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& line : split_lines(listed.out)) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.rfind('\t');
    if (first != std::string::npos && second > first) {
      list.push_back({{"name", line.substr(0, first)},
                      {"version", line.substr(first + 1, second - first - 1)},
                      {"architecture", line.substr(second + 1)}});
    }
  }
  return write_file_atomic(std::string(tree_folder) + rpm_list, json_text(list));
}

}  // namespace

ManagerRun plan_manager(const RecipeSource& source, const std::vector<std::string>& packages,
                        const std::string& architecture) {
  const std::string machine = machine_word(architecture);
  return source.kind == Kind::rpm ? plan_dnf(source, packages, machine) : plan_pacman(source, packages, machine);
}

Result<void> install_packages(const SourcePlan& plan) {
  const ManagerRun planned = plan_manager(plan.source, plan.packages, plan.architecture);
  TRY(make_directories(in_scratch("gnupg"), 0700));
  for (const char* folder : {"repos", "cache"}) {
    TRY(make_directories(in_scratch(folder)));
  }
  TRY(make_directories(std::string(tree_folder) + "/var/lib/pacman"));
  for (const ManagerRun::File& file : planned.files) {
    TRY(write_file_atomic(file.path, file.bytes));
  }
  for (Command step : planned.commands) {
    const std::string name = step.argv[0].substr(step.argv[0].rfind('/') + 1);
    step.argv[0] = TRY(find_program(name));
    TRY_AS(run_checked(step), fmt::format("{} cannot install the packages", name));
  }
  if (plan.source.kind == Kind::rpm) {
    std::error_code ignored;
    for (const std::string& left : {std::string("/var/lib/pacman"), std::string(scratch_folder)}) {
      std::filesystem::remove_all(tree_folder + left, ignored);  // dnf's history, below the root it was given
    }
    return write_rpm_list();
  }
  return {};
}

}  // namespace domsmith::sources
