#include "imagebuild/engine/package_lists.h"

#include <gmock/gmock.h>

#include "base/file.h"

namespace domsmith::engine {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr const char* text =
    "Package: bash\nEssential: yes\nVersion: 5\nArchitecture: amd64\nPre-Depends: libc6 (>= 2)\nDepends: base | "
    "other\n\n"
    "Package: libc6\nVersion: 2\nArchitecture: amd64\n\n"
    "Package: base\nVersion: 1\nArchitecture: all\nRecommends: extra\n\n"
    "Package: web\nVersion: 1.2\nArchitecture: amd64\nDepends: mailer (>= 1),\n libssl:any [amd64]\n\n"
    "Package: exim\nVersion: 4\nArchitecture: amd64\nProvides: mailer (= 1), x\n\n"
    "Package: libssl\nVersion: 3\nArchitecture: amd64\n\n"
    "Package: extra\nVersion: 1\nArchitecture: all\n\n"
    "Package: mount\nPriority: required\nVersion: 1\nArchitecture: amd64\n\n"
    "Package: nobody\nVersion: 1\nArchitecture: all\n";

class PackageListsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::make();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    ASSERT_TRUE(write_file_atomic(folder_->path() / "mirror_Packages", text));
    ASSERT_TRUE(write_file_atomic(folder_->path() / "mirror_InRelease", "Package: not-a-list\n"));
    auto lists = PackageLists::read(folder_->path());
    ASSERT_TRUE(lists);
    lists_ = std::move(*lists);
  }
  std::optional<TemporaryDirectory> folder_;
  PackageLists lists_;
};

TEST(Stanza, FieldsAndTheirLines) {
  const Stanza stanza("Package: a\nDescription: one\n two\n .\nVersion:2\nX-Package: no\n");
  EXPECT_EQ(stanza.field("Package"), "a");
  EXPECT_EQ(stanza.field("Description"), "one\n two\n .");
  EXPECT_EQ(stanza.field("Version"), "2");
  EXPECT_EQ(stanza.field("Pack"), "");
  EXPECT_EQ(Stanza("").field("Package"), "");
  EXPECT_EQ(Stanza("Package:").field("Package"), "");
}

TEST(Stanza, NamesInADependency) {
  EXPECT_THAT(names_in("a (>= 1) | b:any, c [amd64],\n d <!nocheck>"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(names_in(""), ElementsAre());
}

TEST_F(PackageListsTest, ReachesWhatIsNamedRequiredOrNeeded) {
  EXPECT_THAT(lists_.reachable({}, false), UnorderedElementsAre("bash", "libc6", "base", "other", "mount"));
  EXPECT_THAT(lists_.reachable({"web=1.2"}, false),
              UnorderedElementsAre("bash", "libc6", "base", "other", "mount", "web", "mailer", "exim", "libssl"));
  EXPECT_TRUE(lists_.reachable({}, true).contains("extra"));
}

TEST_F(PackageListsTest, TheShortListHoldsTheSameWords) {
  const auto out = folder_->path() / "short";
  ASSERT_TRUE(lists_.write(out, lists_.reachable({}, false)));
  const auto written = read_file(out / "mirror_Packages");
  ASSERT_TRUE(written);
  EXPECT_TRUE(written->starts_with("Package: bash\nEssential: yes\n"));
  EXPECT_FALSE(written->contains("exim"));
  EXPECT_FALSE(written->contains("nobody"));
}

TEST_F(PackageListsTest, FindsOneVersion) {
  EXPECT_TRUE(lists_.find("web", "1.2", "amd64"));
  EXPECT_FALSE(lists_.find("web", "1.3", "amd64"));
  EXPECT_FALSE(lists_.find("web", "1.2", "i386"));
}

}  // namespace
}  // namespace domsmith::engine
