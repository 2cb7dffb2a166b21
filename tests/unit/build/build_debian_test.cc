// A small Debian from the host's own mirror, with users, files, scripts and settings: what the agent does is seen in
// the image. Needs mmdebstrap and a mirror; runs as root and as an ordinary user.
#include <gmock/gmock.h>

#include "base/file.h"
#include "base/process.h"
#include "imagebuild/build.h"
#include "imagebuild/engine/layers.h"
#include "imagebuild/extfs/filesystem.h"
#include "tests/unit/engine/apt_archive.h"

namespace domsmith {
namespace {

using testing::HasSubstr;
using testing::Not;

class BuildDebianTest : public testing::Test {
 protected:
  void SetUp() override {
    auto facts = packages::host_facts();
    if (!facts) {
      GTEST_SKIP() << facts.error().what << ": " << facts.error().remedy;
    }
    host_ = std::move(*facts);
    for (const packages::AptSource& source : host_.sources) {
      if (source.suite.find('-') == std::string::npos) {
        recipe_.distribution.release = source.suite;
      }
    }
    if (recipe_.distribution.release.empty()) {
      GTEST_SKIP() << "this host has no apt sources";
    }
    recipe_.image.name = "small";
    recipe_.image.architecture = host_.architecture;
    recipe_.system.hostname = "golden";
    recipe_.filesystem.size = 1ULL << 30;
    recipe_.boot.kernel = "none";
    auto folder = TemporaryDirectory::make();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    file_ = folder_->path() / "small.img";
    ASSERT_TRUE(write_file_atomic(file_, ""));
    std::filesystem::resize_file(file_, recipe_.filesystem.size);
  }

  void script(RecipeScript::Phase phase, const std::string& bytes) {
    RecipeScript item;
    item.phase = phase;
    item.bytes = bytes;
    item.name = "test";
    recipe_.scripts.push_back(item);
  }

  Result<BuildResult> build_it() {
    const BuildPlan plan = TRY(plan_build(recipe_, host_));
    target_ = TRY(open_block_target(file_, Access::read_write));
    return build(plan, *target_, progress_);
  }

  packages::HostFacts host_;
  Recipe recipe_;
  SilentProgress progress_;
  std::optional<TemporaryDirectory> folder_;
  std::string file_;
  std::unique_ptr<BlockTarget> target_;
};

TEST_F(BuildDebianTest, EverythingARecipeSaysIsInTheImage) {
  recipe_.system.timezone = "Europe/Berlin";
  recipe_.system.root_password = "$6$abcdefgh$hash";
  recipe_.packages.remove = {"e2fsprogs"};
  RecipeUser user;
  user.name = "bob";
  user.home = "/home/bob";
  user.groups = {"sudo", "extra"};
  user.ssh_keys = {"ssh-ed25519 AAAA bob"};
  recipe_.users = {user};
  RecipeFile file;
  file.path = "/srv/data/secret";
  file.bytes = "x\n";
  file.mode = 0640;
  file.owner = "bob";
  file.group = "extra";
  recipe_.files = {file};
  script(RecipeScript::Phase::setup, "#!/bin/sh -e\ntest ! -e /srv/data/secret\necho setup >>/etc/phases\n");
  script(RecipeScript::Phase::essential, "#!/bin/sh -e\ndpkg --version >/dev/null\necho essential >>/etc/phases\n");
  script(RecipeScript::Phase::customize,
         "#!/bin/sh -e\nid bob >&2\ntest -e /srv/data/secret\necho customize >>/etc/phases\n");
  // While scripts run, start-stop-daemon is another one (engine/housekeeping.h).
  script(RecipeScript::Phase::final, "#!/usr/bin/perl\nopen F, '>>', '/etc/phases'; print F \"final\\n\";\n");

  const auto result = build_it();
  ASSERT_TRUE(result) << result.error().what << "\n" << testing::PrintToString(result.error().causes);
  EXPECT_GT(result->packages.size(), 50U);

  auto image = extfs::FileSystem::open(*target_, Access::read_only);
  ASSERT_TRUE(image);
  const auto text = [&](const std::string& path) { return image->read_file(path, 1U << 20).value_or("(none)"); };
  EXPECT_EQ(text("/etc/phases"), "setup\nessential\ncustomize\nfinal\n");
  EXPECT_EQ(text("/etc/hostname"), "golden\n");
  EXPECT_EQ(text("/home/bob/.ssh/authorized_keys"), "ssh-ed25519 AAAA bob\n");
  EXPECT_EQ(image->read_link("/etc/localtime"), "/usr/share/zoneinfo/Europe/Berlin");
  EXPECT_THAT(text("/etc/shadow"), HasSubstr("root:$6$abcdefgh$hash:"));
  EXPECT_THAT(text("/etc/shadow"), HasSubstr("bob:!:"));
  EXPECT_THAT(text("/etc/group"), HasSubstr("extra:x:1"));
  const auto secret = image->stat("/srv/data/secret");
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->mode, 0640U);
  EXPECT_EQ(secret->uid, 1000U);
  const auto ssh = image->stat("/home/bob/.ssh");
  ASSERT_TRUE(ssh);
  EXPECT_EQ(ssh->mode, 0700U);
  // Nothing of the build and of the host is left.
  for (const char* path :
       {"/etc/resolv.conf", "/domsmith-agent", "/domsmith-steps", "/domsmith-script", "/usr/sbin/mke2fs",
        "/etc/apt/apt.conf.d/99mmdebstrap", "/etc/passwd-", "/var/log/dpkg.log"}) {
    EXPECT_EQ(image->exists(path, extfs::Follow::no), false) << path;
  }
  EXPECT_THAT(text("/etc/apt/sources.list"), Not(HasSubstr("/tmp")));
  ASSERT_TRUE(run_checked({.argv = {"/sbin/e2fsck", "-fn", file_}, .environment = {}, .working_directory = {}}));
}

TEST_F(BuildDebianTest, AStoppedBuildGoesOnFromItsLastLayerAndDpkgFindsNothingWrong) {
  recipe_.packages.install = {"hello"};
  // While scripts run, start-stop-daemon is another one (engine/housekeeping.h).
  script(RecipeScript::Phase::final,
         "#!/bin/sh -e\ndpkg --audit >/etc/wrong\ndpkg --verify | grep -v /sbin/start-stop-daemon >>/etc/wrong || "
         "true\napt-get check >&2\n");
  const engine::LayerCache layers(folder_->path() / "cache" / "layers");
  const auto build_cached = [&]() -> Result<BuildResult> {
    const BuildPlan plan = TRY(plan_build(recipe_, host_));
    std::filesystem::resize_file(file_, 0);
    std::filesystem::resize_file(file_, recipe_.filesystem.size);
    std::filesystem::remove_all(folder_->path() / "work");
    target_ = TRY(open_block_target(file_, Access::read_write));
    return build(plan, *target_, progress_, {.work = folder_->path() / "work", .cache = folder_->path() / "cache"});
  };
  // The base is whole, the group behind it is not begun.
  ::setenv("DOMSMITH_FAIL", "engine.base", 1);
  EXPECT_FALSE(build_cached());
  ::unsetenv("DOMSMITH_FAIL");
  const auto kept = layers.list();
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1U);
  const auto made = std::filesystem::last_write_time(layers.folder() / kept->at(0).key / "tree");

  const auto result = build_cached();
  ASSERT_TRUE(result) << result.error().what << "\n" << testing::PrintToString(result.error().causes);
  EXPECT_EQ(layers.list()->size(), 2U) << "hello is a layer of its own";
  EXPECT_EQ(std::filesystem::last_write_time(layers.folder() / kept->at(0).key / "tree"), made);
  auto image = extfs::FileSystem::open(*target_, Access::read_only);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->read_file("/etc/wrong", 1U << 20), "");
  EXPECT_TRUE(image->exists("/usr/bin/hello").value_or(false));
}

TEST_F(BuildDebianTest, AFurtherRepositoryGivesPackagesAndIsInTheImage) {
  auto key = testing_apt::SigningKey::make(folder_->path() / "key");
  ASSERT_TRUE(key);
  const std::filesystem::path archive = folder_->path() / "archive";
  ASSERT_TRUE(testing_apt::make_archive(archive, "stable", {{"our-ledger", "2.0"}, {"hello", "99"}}, &*key));
  recipe_.repositories = {{.name = "ledger",
                           .url = "file:" + archive.string(),
                           .release = "stable",
                           .components = {"main"},
                           .key = "ledger.asc",
                           .key_bytes = key->public_key(true).value_or("")}};
  recipe_.pins = {{.packages = {"hello"}, .pin = "version 99", .priority = -1}};
  recipe_.packages.install = {"our-ledger", "hello"};
  const auto result = build_it();
  ASSERT_TRUE(result) << result.error().what << "\n" << testing::PrintToString(result.error().causes);
  const auto version = [&](const char* name) {
    const auto found = std::ranges::find(result->packages, name, &InstalledPackage::name);
    return found == result->packages.end() ? "none" : found->version;
  };
  EXPECT_EQ(version("our-ledger"), "2.0");
  EXPECT_THAT(version("hello"), testing::StartsWith("2."));
  EXPECT_THAT(result->chosen.sources,
              testing::Contains(testing::Field(&engine::PackageSet::Source::line, HasSubstr("archive_dists_stable_"))));
  auto image = extfs::FileSystem::open(*target_, Access::read_only);
  ASSERT_TRUE(image);
  const auto text = [&](const std::string& path) { return image->read_file(path, 1U << 20).value_or("(none)"); };
  EXPECT_EQ(text("/usr/share/our-ledger/version"), "2.0\n");
  EXPECT_EQ(text("/etc/apt/keyrings/ledger.asc"), recipe_.repositories[0].key_bytes);
  EXPECT_THAT(text("/etc/apt/sources.list.d/ledger.sources"), HasSubstr("Signed-By: /etc/apt/keyrings/ledger.asc\n"));
  EXPECT_THAT(text("/etc/apt/preferences.d/recipe.pref"), HasSubstr("Pin-Priority: -1\n"));
}

TEST_F(BuildDebianTest, AScriptThatFailsIsNamedWithItsLastWords) {
  script(RecipeScript::Phase::essential, "#!/bin/sh\necho the first line\necho the last words >&2\nexit 3\n");
  const auto result = build_it();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "cannot build the packages of 'small'");
  EXPECT_EQ(result.error().causes.at(0), "script 'test' ([[script]] 1) failed: exit status 3");
  EXPECT_THAT(result.error().causes, testing::Contains("the last words"));
}

// A disk that is full before the image is whole.
class FullDisk final : public BlockTarget {
 public:
  explicit FullDisk(std::uint64_t size) : memory_(memory_target(size)) {}
  [[nodiscard]] std::uint64_t size() const override { return memory_->size(); }
  [[nodiscard]] std::string name() const override { return "disk"; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override { return memory_->read(offset, into); }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override {
    written_ += from.size();
    return written_ > room ? fail_errno("cannot write disk", ENOSPC) : memory_->write(offset, from);
  }
  Result<void> discard(std::uint64_t offset, std::uint64_t length) override { return memory_->discard(offset, length); }
  Result<void> flush() override { return {}; }
  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override { return memory_->next_data(offset); }

 private:
  static constexpr std::uint64_t room = 20U << 20;
  std::unique_ptr<BlockTarget> memory_;
  std::uint64_t written_ = 0;
};

TEST_F(BuildDebianTest, AFullDiskIsTheErrorAndNotWhatTheTreesMakerSaysOfIt) {
  const auto plan = plan_build(recipe_, host_);
  ASSERT_TRUE(plan);
  FullDisk disk(recipe_.filesystem.size);
  const auto result = build(*plan, disk, progress_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::no_space);
  EXPECT_EQ(result.error().what, "cannot write the image of 'small'");
  EXPECT_EQ(result.error().causes, (std::vector<std::string>{"cannot write disk", "No space left on device"}));
}

}  // namespace
}  // namespace domsmith
