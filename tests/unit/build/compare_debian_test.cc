// The engine's tree beside mmdebstrap's of the same packages: the same files, with the same bytes, owners and modes.
// What differs is listed here, with its reason. Needs root, mmdebstrap and a mirror.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <map>

#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"
#include "imagebuild/archive/tar.h"
#include "imagebuild/engine/engine.h"
#include "imagebuild/packages/host.h"
#include "imagebuild/tree/wire.h"

namespace domsmith {
namespace {

// What is in a tree: a line for each path, and the bytes of a few files.
class Collector final : public TreeSink {
 public:
  Result<void> entry(const Entry& entry) override {
    close();
    path_ = entry.path;
    line_ = fmt::format("type {} mode {:o} owner {}:{} -> {} device {}:{} xattrs {}", static_cast<int>(entry.type),
                        entry.type == EntryType::hard_link ? 0U : entry.mode, entry.uid, entry.gid, entry.target,
                        entry.device_major, entry.device_minor, entry.xattrs.size());
    bytes_.clear();
    is_open_ = true;
    return {};
  }
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override {
    bytes_.resize(std::max<std::size_t>(bytes_.size(), offset));
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Result<void> finish() override {
    close();
    return {};
  }
  void close() {
    if (is_open_) {
      lines[path_] = line_ + " " + sha256_hex(bytes_);
      if (path_ == "var/lib/dpkg/status") {
        status = bytes_;
      }
    }
    is_open_ = false;
  }

  std::map<std::string, std::string> lines;
  std::string status;

 private:
  std::string path_, line_, bytes_;
  bool is_open_ = false;
};

// Why a path may differ.
struct Reason {
  std::string_view beginning;
  std::string_view why;
};
constexpr Reason reasons[] = {
    {"etc/apt/sources.list", "mmdebstrap writes no newline behind the last of one-line entries given to it"},
    {"etc/hostname", "mmdebstrap leaves the host's name; our agent writes the image's"},
    {"etc/resolv.conf", "mmdebstrap leaves the host's; ours is lent while scripts run"},
    {"var/lib/apt/lists", "apt makes lock and partial folder when it is first used"},
    {"var/cache/apt", "apt makes its folders when it is first used"},
    {"var/lib/apt/extended_states", "without dependencies beside the required packages apt writes none"},
    {"var/lib/dpkg/available", "an empty file of dselect's, which dpkg makes when it is asked for"},
    {"var/lib/dpkg/lock", "dpkg makes its locks when it is first used"},
    {"var/lib/dpkg/cmethopt", "of dselect's"},
    {"var/lib/dpkg/status-old", "dpkg's backup of the moment before"},
    {"var/lib/dpkg/diversions-old", "dpkg's backup of the moment before"},
    {"var/lib/dpkg/triggers/Lock", "dpkg makes its locks when it is first used"},
    {"var/cache/debconf/", "debconf's backups of the moment before"},
    {"etc/.pwd.lock", "made by whoever locks the accounts first"},
    {"etc/shadow", "the day of the last change is that of SOURCE_DATE_EPOCH"},
    {"etc/gshadow", "systemd's groups are in it where passwd is configured first, as the engine does"},
    {"etc/passwd-", "a backup of the moment before"},
    {"etc/group-", "a backup of the moment before"},
    {"etc/gshadow-", "a backup of the moment before"},
    {"var/log/", "logs"},
};

std::string_view reason_of(std::string_view path) {
  for (const Reason& reason : reasons) {
    if (path.starts_with(reason.beginning)) {
      return reason.why;
    }
  }
  return {};
}

Recipe recipe_of(const packages::HostFacts& host) {
  Recipe recipe;
  recipe.image.name = "compare";
  recipe.image.architecture = host.architecture;
  recipe.boot.kernel = "none";
  recipe.packages.install = {"systemd-sysv", "openssl"};
  for (const packages::AptSource& source : host.sources) {
    if (source.suite.find_first_of("-/") == std::string::npos && source.origin.find("debian") != std::string::npos) {
      recipe.distribution.release = source.suite;
    }
  }
  return recipe;
}

Result<Collector> build_ours(const packages::PackagePlan& plan, const std::filesystem::path& folder) {
  SilentProgress progress;
  const engine::EngineOptions options{.cache = folder / "cache"};
  const auto set = TRY(engine::choose_packages(plan, options, progress));
  auto run = TRY(engine::TreeBuild::start(plan, set, options, folder / "work", progress));
  Collector tree;
  const auto read = read_wire(run.tree(), tree);
  TRY(run.finish());
  TRY(read);
  tree.close();
  return tree;
}

Result<Collector> build_theirs(const packages::PackagePlan& plan, const std::filesystem::path& folder) {
  SilentProgress progress;
  std::vector<std::string> argv{
      TRY(find_program("mmdebstrap")),         "--mode=root", "--variant=minbase", "--format=tar",
      "--include=tzdata,systemd-sysv,openssl", plan.suite,    folder / "peer.tar"};
  for (const packages::AptSource& source : plan.sources) {
    argv.push_back(source.line());
  }
  TRY(run_checked({.argv = argv, .environment = {"INITRD=No"}, .working_directory = {}}));
  const Fd tar = TRY(open_fd(folder / "peer.tar", O_RDONLY));
  Collector tree;
  TRY(read_archive(tar.get(), tree, {}, progress));
  tree.close();
  return tree;
}

std::string unexplained_differences(const Collector& ours, const Collector& theirs) {
  std::map<std::string, std::pair<std::string, std::string>> both;
  for (const auto& [path, line] : ours.lines) {
    both[path].first = line;
  }
  for (const auto& [path, line] : theirs.lines) {
    both[path].second = line;
  }
  std::string text;
  for (const auto& [path, lines] : both) {
    if (lines.first != lines.second && reason_of(path).empty()) {
      text += fmt::format("{}\n  ours   {}\n  theirs {}\n", path, lines.first, lines.second);
    }
  }
  return text;
}

TEST(CompareDebian, TheSameFilesAsMmdebstrapMakes) {
  const auto host = packages::host_facts();
  if (::geteuid() != 0 || !find_program("mmdebstrap") || !host) {
    GTEST_SKIP() << "needs root and mmdebstrap";
  }
  const Recipe recipe = recipe_of(*host);
  if (recipe.distribution.release.empty()) {
    GTEST_SKIP() << "this host has no Debian sources";
  }
  auto plan = packages::plan_packages(recipe, *host);
  ASSERT_TRUE(plan) << plan.error().what;
  plan->hooks.clear();
  const auto folder = TemporaryDirectory::make();
  ASSERT_TRUE(folder);
  const auto ours = build_ours(*plan, folder->path());
  ASSERT_TRUE(ours) << ours.error().what << testing::PrintToString(ours.error().causes);
  const auto theirs = build_theirs(*plan, folder->path());
  ASSERT_TRUE(theirs) << theirs.error().what << testing::PrintToString(theirs.error().causes);
  EXPECT_GT(ours->lines.size(), 5000U);
  EXPECT_EQ(ours->status, theirs->status) << "dpkg's own record";
  EXPECT_EQ(unexplained_differences(*ours, *theirs), "");
}

}  // namespace
}  // namespace domsmith
