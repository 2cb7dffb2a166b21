#include "imagebuild/engine/apt_root.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <map>
#include <set>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/passwords.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/engine/lock.h"
#include "imagebuild/engine/package_lists.h"
#include "imagebuild/packages/repositories.h"
#include "imagebuild/packages/run_log.h"

namespace domsmith::engine {
namespace {

constexpr std::string_view lists_stage = "package lists";
constexpr std::string_view fetch_stage = "downloads";
constexpr const char* status_file = "state/status";
constexpr const char* lists_folder = "state/lists";
constexpr const char* reach_folder = "state/reach";

// sources.list(5) and apt.conf(5) know no other way of quoting: a folder with a '"' cannot be named.
Result<std::string> quoted(const std::filesystem::path& path) {
  const std::string text = path.string();
  if (text.find_first_of("\"\\\n") != std::string::npos) {
    return fail(ErrorCode::unsupported, fmt::format("apt cannot work in a folder called {}", text));
  }
  return "\"" + text + "\"";
}

std::string configuration(const packages::PackagePlan& plan, const std::string& folder) {
  std::string text = fmt::format("APT::Architecture \"{}\";\n#clear APT::Architectures;\n", plan.architecture);
  text += fmt::format("APT::Architectures {{ \"{}\"; }};\n", join(plan.architectures, "\"; \""));
  text += fmt::format("Dir {};\n", folder);
  text +=
      "Dir::Etc \"etc\";\nDir::Etc::SourceList \"sources.list\";\nDir::Etc::SourceParts \"sources.list.d\";\n"
      "Dir::Etc::Trusted \"/etc/apt/trusted.gpg\";\nDir::Etc::TrustedParts \"/etc/apt/trusted.gpg.d\";\n"
      "Dir::State \"state\";\nDir::State::Lists \"lists\";\nDir::State::Status \"status\";\nDir::Cache \"cache\";\n"
      "Dir::Cache::Archives \"nothing\";\n";
  // The folder is its user's alone; apt's own user could not enter it.
  text += "APT::Sandbox::User \"root\";\n";
  text += fmt::format("APT::Install-Recommends \"{}\";\n", plan.recommends ? "true" : "false");
  text +=
      "Acquire::Languages \"none\";\nAcquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n"
      "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled \"false\";\n";
  // What apt counts as essential of its own accord (itself) is not meant by ?essential.
  return text + "pkgCacheGen::ForceEssential \",\";\n";
}

// Signed-By is a list of paths parted by blanks.
Result<std::vector<packages::AptFile>> files_for_apt(const packages::PackagePlan& plan,
                                                     const std::filesystem::path& folder) {
  if (!plan.repositories.empty() && folder.string().find_first_of(" \t\n,") != std::string::npos) {
    return fail(ErrorCode::unsupported, fmt::format("apt finds no keys in a folder called {}", folder.string()),
                "choose a --root without blanks and commas");
  }
  return packages::apt_files(plan.repositories, plan.pins, folder);
}

// `'URI' FILE SIZE HASH`; FILE is NAME_VERSION_ARCHITECTURE.deb, the version's ':' as %3a.
std::optional<Package> read_uri_line(std::string_view line) {
  const std::size_t end = line.find("' ", 1);
  if (!line.starts_with('\'') || end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view file = line.substr(end + 2, line.find(' ', end + 2) - end - 2);
  const std::size_t second = file.rfind('_');
  const std::size_t first = file.rfind('_', second == 0 ? 0 : second - 1);
  if (!file.ends_with(".deb") || first == std::string_view::npos || first >= second) {
    return std::nullopt;
  }
  Package package;
  package.uri = line.substr(1, end - 1);
  package.name = file.substr(0, first);
  package.version = file.substr(first + 1, second - first - 1);
  package.architecture = file.substr(second + 1, file.size() - second - 5);
  for (std::size_t at = 0; (at = package.version.find("%3a", at)) != std::string::npos;) {
    package.version.replace(at, 3, ":");
  }
  return package;
}

std::optional<std::int64_t> read_date(const std::string& text) {
  std::tm time{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S", &time);
  return end == nullptr ? std::nullopt : std::optional<std::int64_t>(::timegm(&time));
}

// mmdebstrap(1) asks apt the same way for what is essential in this release and no other.
std::string of_release(const packages::PackagePlan& plan, std::string_view which) {
  return fmt::format("?narrow(?or(?archive(^{0}$),?codename(^{0}$)),?architecture({1}),{2})", plan.suite,
                     plan.architecture, which);
}

// A status file in which these are installed, made of the lists' own words.
std::string installed_status(const std::vector<Package>& packages, const PackageLists& lists) {
  std::string text;
  for (const Package& package : packages) {
    if (const auto stanza = lists.find(package.name, package.version, package.architecture)) {
      text += fmt::format("Status: install ok installed\n{}\n", stanza->text());
    }
  }
  return text;
}

Result<void> complete(std::vector<Package>& packages, const PackageLists& lists) {
  for (Package& package : packages) {
    const auto stanza = lists.find(package.name, package.version, package.architecture);
    if (!stanza || stanza->field("SHA256").size() != 64) {
      return fail(ErrorCode::failed, fmt::format("the lists hold no SHA-256 of {} {}", package.name, package.version),
                  "use a mirror that publishes one: every Debian since 2010 does");
    }
    package.sha256 = stanza->field("SHA256");
    const std::string_view size = stanza->field("Size");
    std::from_chars(size.data(), size.data() + size.size(), package.size);
  }
  return {};
}

void set_roles(std::vector<Package>& packages, const PackageLists& lists, const std::vector<std::string>& wanted) {
  std::set<std::string, std::less<>> names;
  for (const std::string& name : wanted) {
    names.insert(name.substr(0, name.find_first_of(":=/")));
  }
  for (Package& package : packages) {
    const auto stanza = lists.find(package.name, package.version, package.architecture);
    if (stanza && stanza->field("Priority") == "required") {
      package.role = Role::required;
    } else if (names.contains(package.name)) {
      package.role = Role::wanted;
    }
  }
}

}  // namespace

std::string Package::file() const {
  std::string escaped = version;
  for (std::size_t at = 0; (at = escaped.find(':', at)) != std::string::npos;) {
    escaped.replace(at, 1, "%3a");
  }
  return fmt::format("{}_{}_{}.deb", name, escaped, architecture);
}

std::string PackageSet::sha256() const {
  Sha256 digest;
  digest.update(fmt::format("{} {}\n", architecture, epoch));
  for (const Package& package : packages) {
    digest.update(fmt::format("{} {} {}\n", package.file(), package.sha256, static_cast<int>(package.role)));
  }
  return digest.hex();
}

Result<AptRoot> AptRoot::open(const std::filesystem::path& folder, const packages::PackagePlan& plan) {
  TRY(make_directories(folder, 0700));
  AptRoot root(folder, plan, TRY(FileLock::acquire(folder / "lock")));
  TRY_AS(root.configure(), "cannot prepare apt");
  return root;
}

Result<void> AptRoot::configure() {
  for (const char* sub : {"etc/preferences.d", "etc/sources.list.d", "etc/apt.conf.d", "state/lists/partial",
                          "state/reach/partial", "archives/partial", "cache/nothing/partial"}) {
    TRY(make_directories(folder_ / sub, 0700));
  }
  std::string lines;
  for (const packages::AptSource& source : plan_->sources) {
    lines += source.line() + "\n";
  }
  const auto put = [&](const std::string& name, const std::string& text) -> Result<void> {
    const auto there = read_file(folder_ / name, 1U << 20);
    return there && *there == text ? Result<void>() : write_file_atomic(folder_ / name, text, 0600);
  };
  TRY(put("etc/sources.list", lines));
  // A pin that is gone must not go on working.
  TRY(put("etc/preferences.d/recipe.pref", ""));
  for (const packages::AptFile& file : TRY(files_for_apt(*plan_, folder_ / "etc"))) {
    TRY(make_directories((folder_ / "etc" / file.path).parent_path(), 0700));
    TRY(put("etc/" + file.path, file.bytes));
  }
  TRY(put("apt.conf", configuration(*plan_, TRY(quoted(folder_)))));
  return put(status_file, "");
}

Command AptRoot::command(const std::string& program, std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), program);
  Command command{.argv = std::move(arguments), .environment = plan_->environment, .working_directory = "/"};
  command.environment.push_back(fmt::format("APT_CONFIG={}", (folder_ / "apt.conf").string()));
  command.environment.push_back(fmt::format("TMPDIR={}", (folder_ / "cache").string()));
  return command;
}

Result<std::string> AptRoot::run_apt(std::vector<std::string> arguments) {
  const Finished done = TRY(run(command(TRY(find_program("apt-get")), std::move(arguments))));
  if (!done.status.success()) {
    packages::RunLog log;
    const std::vector<std::string> lines = split_lines(done.err_tail);
    for (const std::string& line : lines) {
      log.line(line);
    }
    if (auto error = packages::signature_error(plan_->repositories, lines)) {
      return std::unexpected(std::move(*error));
    }
    return std::unexpected(log.failure(done.status, plan_->suite));
  }
  return done.out;
}

Result<void> AptRoot::update(std::chrono::seconds age, Progress& progress) {
  const std::string asked =
      sha256_hex(TRY(read_file(folder_ / "apt.conf")) + TRY(read_file(folder_ / "etc/sources.list")));
  const std::int64_t now = system_clock().now().time_since_epoch().count();
  const auto stamp = read_file(folder_ / "stamp", 4096);
  if (stamp && stamp->starts_with(asked + " ")) {
    std::int64_t then = 0;
    std::from_chars(stamp->data() + asked.size() + 1, stamp->data() + stamp->size(), then);
    if (now >= then && now - then < age.count()) {
      return {};
    }
  }
  progress.begin(lists_stage);
  TRY(remove_file(folder_ / "stamp"));
  // The cache that apt would build of all the packages serves nobody: reduce() is quicker.
  TRY_AS(run_apt({"update", "--error-on=any", "-o", "pkgCacheFile::Generate=false"}), "cannot read the package lists");
  progress.end(lists_stage);
  std::error_code code;
  std::filesystem::remove_all(folder_ / "answers", code);
  return write_file_atomic(folder_ / "stamp", fmt::format("{} {}\n", asked, now), 0600);
}

Result<void> AptRoot::reduce() {
  const PackageLists lists = TRY(PackageLists::read(folder_ / lists_folder));
  std::error_code code;
  std::filesystem::remove_all(folder_ / reach_folder, code);
  TRY(make_directories(folder_ / reach_folder / "partial", 0700));
  for (const auto& item : std::filesystem::directory_iterator(folder_ / lists_folder, code)) {
    const std::string name = item.path().filename();
    if (name.ends_with("InRelease") || name.ends_with("Release") || name.ends_with("Release.gpg")) {
      std::filesystem::copy_file(item.path(), folder_ / reach_folder / name, code);
    }
  }
  if (code) {
    return fail_errno("cannot copy the package lists", code.value());
  }
  return lists.write(folder_ / reach_folder, lists.reachable(plan_->packages, plan_->recommends));
}

Result<std::vector<Package>> AptRoot::print_uris(std::vector<std::string> wanted) {
  std::vector<std::string> arguments{"install",
                                     "--yes",
                                     "--print-uris",
                                     "-o",
                                     fmt::format("Dir::State::Lists={}", (folder_ / reach_folder).string()),
                                     "-o",
                                     "Dir::Cache::pkgcache=",
                                     "-o",
                                     "Dir::Cache::srcpkgcache=",
                                     "--"};
  arguments.insert(arguments.end(), wanted.begin(), wanted.end());
  std::vector<Package> packages;
  for (const std::string& line : split_lines(TRY(run_apt(std::move(arguments))))) {
    if (auto package = read_uri_line(line)) {
      packages.push_back(std::move(*package));
    }
  }
  return packages;
}

Result<std::vector<PackageSet::Source>> AptRoot::sources(std::int64_t& newest) const {
  // apt names a list after its URI; the answer is by file, and that is what a lock has to know.
  std::map<std::string, std::string> files;
  std::error_code code;
  for (const auto& item : std::filesystem::directory_iterator(folder_ / reach_folder, code)) {
    const std::string name = item.path().filename();
    if (name.ends_with("Release")) {
      files.emplace(name, TRY(read_file(item.path(), 16U << 20)));
    }
  }
  std::vector<PackageSet::Source> out;
  for (const auto& [name, text] : files) {
    PackageSet::Source source{.line = name, .release_sha256 = sha256_hex(text), .date = {}};
    for (const std::string& line : split_lines(text)) {
      if (line.starts_with("Date:")) {
        source.date = trimmed(line.substr(5));
        newest = std::max(newest, read_date(source.date).value_or(0));
        break;
      }
    }
    out.push_back(std::move(source));
  }
  return out;
}

// An answer holds until the mirrors are asked again.
Result<PackageSet> AptRoot::choose(Progress& progress) {
  std::string question = fmt::format("{}\n{}\n{}\n{}", TRY(read_file(folder_ / "stamp", 4096)), plan_->suite,
                                     join(plan_->packages, " "), plan_->recommends);
  for (const RecipePin& pin : plan_->pins) {
    question += "\n" + packages::pin_text(pin);
  }
  const std::filesystem::path file = folder_ / "answers" / (sha256_hex(question) + ".lock.toml");
  if (const auto known = load_lock(file)) {
    return known->set;
  }
  PackageSet set = TRY(resolve(progress));
  TRY(write_file_atomic(file, lock_text({.image = plan_->suite, .recipe = sha256_hex(question), .set = set}), 0600));
  return set;
}

Result<PackageSet> AptRoot::resolve(Progress& progress) {
  progress.begin("choice of packages");
  TRY_AS(reduce(), "cannot read the package lists");
  const PackageLists lists = TRY(PackageLists::read(folder_ / reach_folder));
  TRY(write_file_atomic(folder_ / status_file, "", 0600));
  auto packages = TRY(print_uris({of_release(*plan_, "?essential")}));
  for (Package& package : packages) {
    package.role = Role::essential;
  }
  TRY(write_file_atomic(folder_ / status_file, installed_status(packages, lists), 0600));
  std::vector<std::string> wanted = plan_->packages;
  wanted.push_back(of_release(*plan_, "?and(?priority(required),?not(?essential))"));
  auto others = TRY(print_uris(wanted));
  set_roles(others, lists, plan_->packages);
  packages.insert(packages.end(), others.begin(), others.end());
  TRY(complete(packages, lists));
  std::ranges::sort(packages, {}, [](const Package& each) { return std::pair(each.name, each.architecture); });
  PackageSet set;
  set.architecture = plan_->architecture;
  set.sources = TRY(sources(set.epoch));
  set.packages = std::move(packages);
  progress.end("choice of packages", fmt::format("{} packages", set.packages.size()));
  return set;
}

Result<void> AptRoot::fetch(const std::vector<Package>& packages, Progress& progress) {
  std::vector<std::string> arguments{"download-file"};
  std::uint64_t bytes = 0;
  std::error_code code;
  for (const Package& package : packages) {
    const std::filesystem::path file = archives() / package.file();
    if (std::filesystem::file_size(file, code) == package.size && !code) {
      continue;
    }
    bytes += package.size;
    // apt's "file" method only says where a file lies; "copy" brings it.
    const std::string uri = package.uri.starts_with("file:") ? "copy:" + package.uri.substr(5) : package.uri;
    arguments.insert(arguments.end(), {uri, file.string(), "SHA256:" + package.sha256});
  }
  if (arguments.size() == 1) {
    return {};
  }
  progress.begin(fetch_stage, bytes, "bytes");
  const Finished done = TRY(run(command("/usr/lib/apt/apt-helper", std::move(arguments))));
  if (!done.status.success()) {
    packages::RunLog log;
    for (const std::string& line : split_lines(done.err_tail)) {
      log.line(line);
    }
    return wrap(log.failure(done.status, plan_->suite), "cannot fetch the packages");
  }
  progress.end(fetch_stage, size_text(bytes));
  return {};
}

}  // namespace domsmith::engine
