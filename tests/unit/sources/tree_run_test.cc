// A tree of a tar and of OCI layers, with steps run inside it. Wants root, for the namespaces' ids.
#include "imagebuild/sources/tree_run.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "imagebuild/sources/namespaces.h"
#include "tests/unit/sources/support.h"

namespace domsmith::sources {
namespace {

using testing::HasSubstr;

class TreeRun : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "needs root";
    }
    plan_.source.kind = RecipeSource::Kind::tar;
    plan_.source.location = "tree.tar";
    plan_.recipe_folder = folder_.path();
    plan_.architecture = "amd64";
    put("tree/etc/hostname", "old\n");
    put("tree/bin/tool", "x");
    ::chmod(at("tree/bin/tool").c_str(), 04755);
    ASSERT_EQ(::chown(at("tree/etc/hostname").c_str(), 33, 44), 0);
  }
  std::filesystem::path at(const std::string& name) { return folder_.path() / name; }
  void put(const std::string& name, const std::string& bytes) { must(write_file_atomic(at(name), bytes)); }
  Result<void> make() {
    make_tar(at("tree"), at("tree.tar"));
    const std::filesystem::path work = at("work");
    std::filesystem::remove_all(work);
    std::filesystem::create_directory(work);
    SilentProgress silent;
    return write_source_tree(plan_, tree_, silent, work);
  }
  TemporaryDirectory folder_ = must(TemporaryDirectory::make());
  SourcePlan plan_;
  MemoryTree tree_;
};

TEST_F(TreeRun, KeepsOwnersAndModes) {
  must(make());
  EXPECT_EQ(tree_.contents.at("etc/hostname"), "old\n");
  EXPECT_EQ(tree_.entries.at("etc/hostname").uid, 33U);
  EXPECT_EQ(tree_.entries.at("etc/hostname").gid, 44U);
  EXPECT_EQ(tree_.entries.at("bin/tool").mode, 04755U);
  EXPECT_EQ(tree_.entries.at("bin/tool").uid, 0U);
  // On the host all of it belonged to nobody.
  struct stat info{};
  ASSERT_EQ(::stat((at("work") / "tree/etc/hostname").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, outer_root + 33);
}

TEST_F(TreeRun, StepsChangeTheTreeAndLeaveNothingBehind) {
  plan_.steps = {{.kind = agent::StepKind::file, .title = "host name", .path = "/etc/hostname", .input = "new\n"},
                 {.kind = agent::StepKind::remove, .title = "tool", .argv = {"/bin/tool"}}};
  must(make());
  EXPECT_EQ(tree_.contents.at("etc/hostname"), "new\n");
  EXPECT_FALSE(tree_.entries.contains("bin/tool"));
  EXPECT_FALSE(tree_.entries.contains("domsmith-agent"));
  EXPECT_FALSE(tree_.entries.contains("domsmith-steps"));
  EXPECT_FALSE(tree_.entries.contains("dev/null"));
}

TEST_F(TreeRun, AFailedStepIsNamed) {
  plan_.steps = {{.kind = agent::StepKind::exec, .title = "a program", .argv = {"/no/such/program"}}};
  const auto made = make();
  ASSERT_FALSE(made);
  EXPECT_THAT(words_of(made.error()), HasSubstr("a program failed: exit status 127; cannot run /no/such/program"));
}

TEST_F(TreeRun, AnotherFileThanTheRecipeMeansIsRefused) {
  plan_.source.sha256 = std::string(64, '0');
  const auto made = make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::bad_input);
  EXPECT_THAT(made.error().what, HasSubstr("its SHA-256 is"));
}

TEST_F(TreeRun, AnArchiveThatIsNoneIsRefused) {
  put("tree.bin", std::string(100000, 'x'));
  plan_.source.location = "tree.bin";
  const auto made = make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::bad_input);
}

TEST_F(TreeRun, DeviceNodesAreLeftOut) {
  std::filesystem::create_directory(at("tree/dev"));
  ASSERT_EQ(::mknod(at("tree/dev/sda").c_str(), S_IFBLK | 0600, 0x800), 0);
  must(make());
  EXPECT_TRUE(tree_.entries.contains("dev"));
  EXPECT_FALSE(tree_.entries.contains("dev/sda"));
}

}  // namespace
}  // namespace domsmith::sources
