// [[repository]] and [[pin]] with apt itself: a distribution of two packages and a repository beside it.
#include <gmock/gmock.h>

#include "base/file.h"
#include "imagebuild/engine/engine.h"
#include "imagebuild/engine/lock.h"
#include "tests/unit/engine/apt_archive.h"

namespace domsmith::engine {
namespace {

using testing_apt::make_archive;
using testing_apt::SigningKey;

class Repositories : public testing::Test {
 protected:
  // One key takes a moment to make.
  static void SetUpTestSuite() {
    auto folder = TemporaryDirectory::make();
    ASSERT_TRUE(folder);
    folder_ = new TemporaryDirectory(std::move(*folder));
    auto ours = SigningKey::make(folder_->path() / "ours");
    auto theirs = SigningKey::make(folder_->path() / "theirs");
    ASSERT_TRUE(ours) << testing::PrintToString(ours.error().causes);
    ASSERT_TRUE(theirs);
    ours_ = new SigningKey(std::move(*ours));
    theirs_ = new SigningKey(std::move(*theirs));
    ASSERT_TRUE(make_archive(folder_->path() / "distribution", "tiny",
                             {{"base", "1", "Essential: yes\nPriority: required\n"}, {"ledger", "1.0"}}, ours_));
    ASSERT_TRUE(make_archive(folder_->path() / "ledger", "stable", {{"ledger", "2.0"}}, theirs_));
    ASSERT_TRUE(make_archive(folder_->path() / "unsigned", "stable", {{"ledger", "3.0"}}, nullptr));
    ASSERT_TRUE(write_file_atomic(folder_->path() / "ours.gpg", ours_->public_key(false).value_or("")));
  }
  static void TearDownTestSuite() {
    delete ours_;
    delete theirs_;
    delete folder_;
  }

  static packages::PackagePlan plan() {
    packages::PackagePlan plan;
    plan.suite = "tiny";
    plan.architecture = "amd64";
    plan.architectures = {"amd64"};
    plan.packages = {"ledger"};
    plan.sources = {{.uri = url("distribution"),
                     .suite = "tiny",
                     .components = {"main"},
                     .signed_by = folder_->path() / "ours.gpg",
                     .origin = "test",
                     .options = {}}};
    plan.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    return plan;
  }
  static std::string url(const std::string& name) { return "file:" + (folder_->path() / name).string(); }
  static RecipeRepository repository(const SigningKey& key, bool armored) {
    return {.name = "ledger",
            .url = url("ledger"),
            .release = "stable",
            .components = {"main"},
            .key = "ledger.key",
            .key_bytes = key.public_key(armored).value_or("")};
  }

  Result<PackageSet> choose(const packages::PackagePlan& plan) {
    return choose_packages(plan, {.cache = folder_->path() / ("cache" + name_)}, progress_);
  }
  // The version that is chosen, or why none is.
  std::string chosen(const packages::PackagePlan& plan) {
    const auto set = choose(plan);
    if (!set) {
      return set.error().what + "; " + testing::PrintToString(set.error().causes);
    }
    for (const Package& package : set->packages) {
      if (package.name == "ledger") {
        return package.version;
      }
    }
    return "none";
  }

  static TemporaryDirectory* folder_;
  static SigningKey* ours_;
  static SigningKey* theirs_;
  SilentProgress progress_;
  std::string name_ = testing::UnitTest::GetInstance()->current_test_info()->name();
};
TemporaryDirectory* Repositories::folder_ = nullptr;
SigningKey* Repositories::ours_ = nullptr;
SigningKey* Repositories::theirs_ = nullptr;

TEST_F(Repositories, OffersItsPackagesWhereItsKeySignedIt) {
  packages::PackagePlan with = plan();
  EXPECT_EQ(chosen(with), "1.0");
  with.repositories = {repository(*theirs_, true)};
  EXPECT_EQ(chosen(with), "2.0");
  with.repositories = {repository(*theirs_, false)};
  EXPECT_EQ(chosen(with), "2.0") << "a key that is not armored";
}

TEST_F(Repositories, IsRefusedWithAnotherKey) {
  packages::PackagePlan with = plan();
  with.repositories = {repository(*ours_, true)};
  const auto set = choose(with);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().causes.empty() ? set.error().what : set.error().causes.front(),
            "the repository 'ledger' is not signed with the key ledger.key");
  EXPECT_THAT(set.error().remedy, testing::HasSubstr("into ledger.key"));
}

TEST_F(Repositories, WithoutASignatureIsTakenOnlyWhereTheRecipeSaysSo) {
  packages::PackagePlan with = plan();
  with.repositories = {repository(*theirs_, true)};
  with.repositories[0].url = url("unsigned");
  EXPECT_THAT(chosen(with), testing::HasSubstr("the repository 'ledger' is not signed"));
  with.repositories[0].is_unsigned = true;
  EXPECT_EQ(chosen(with), "3.0");
}

TEST_F(Repositories, APinDecidesBetweenTwoVersions) {
  packages::PackagePlan with = plan();
  with.repositories = {repository(*theirs_, true)};
  with.pins = {{.packages = {"led*"}, .pin = "release n=tiny", .priority = 990}};
  EXPECT_EQ(chosen(with), "1.0");
  with.pins = {{.packages = {"ledger"}, .pin = "version 2.*", .priority = -1}};
  EXPECT_EQ(chosen(with), "1.0");
  with.pins.clear();
  EXPECT_EQ(chosen(with), "2.0") << "a pin that is gone works no more";
}

TEST_F(Repositories, TheLockKnowsThem) {
  packages::PackagePlan with = plan();
  const auto without = choose(with);
  with.repositories = {repository(*theirs_, true)};
  const auto set = choose(with);
  ASSERT_TRUE(without && set);
  EXPECT_EQ(without->sources.size(), 1U);
  EXPECT_EQ(set->sources.size(), 2U);
  EXPECT_NE(set->sha256(), without->sha256());
}

}  // namespace
}  // namespace domsmith::engine
