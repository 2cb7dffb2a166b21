// --plan changes nothing: what is below the root and in the store is afterwards what it was before.
#include <gmock/gmock.h>

#include <map>

#include "base/crypto.h"
#include "base/error_text.h"
#include "base/file.h"
#include "imagebuild/archive/decompress.h"
#include "imagebuild/extfs/filesystem.h"
#include "lvm-snapshots/store.h"
#include "provision/cli/command.h"
#include "provision/images/description.h"
#include "tests/unit/boot/kernels.h"
#include "tests/unit/cli/captured.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::uint64_t kSize = 16U << 20;

// A golden image that describes itself, as a build leaves it.
Result<void> write_image(BlockTarget& target) {
  extfs::FileSystem image = TRY(extfs::FileSystem::format(target, {.label = "root"}));
  const std::string modules = "/usr/lib/modules/6.1.0-10-amd64/";
  for (const std::string& folder : {std::string("/boot"), modules + "kernel", std::string("/usr/lib/systemd")}) {
    TRY(image.make_directories(folder));
  }
  TRY(image.symlink("/lib", "usr/lib"));
  TRY(image.write_file("/boot/vmlinuz-6.1.0-10-amd64",
                       boot::bz_image(TRY(compress(boot::vmlinux_with({1, 18}), Compression::gzip)))));
  TRY(image.write_file(modules + "modules.dep", "kernel/xen-blkfront.ko:\nkernel/xen-netfront.ko:\nkernel/ext4.ko:\n"));
  for (const char* module : {"xen-blkfront.ko", "xen-netfront.ko", "ext4.ko"}) {
    TRY(image.write_file(modules + "kernel/" + module, module));
  }
  TRY(image.write_file("/usr/lib/systemd/systemd", "#!"));
  TRY(image.write_file("/usr/lib/systemd/systemd-networkd", "#!"));
  ImageDescription description;
  description.name = "gold";
  description.version = "1";
  TRY(write_description(image, description));
  return image.close();
}

class PlanTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto store = open_store(spec());
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->create("gold", kSize));
    {
      const auto target = (*store)->open("gold", Access::read_write);
      ASSERT_TRUE(target);
      const auto written = write_image(**target);
      ASSERT_TRUE(written) << error_text(written.error());
    }
    ASSERT_TRUE((*store)->seal("gold"));
  }
  [[nodiscard]] std::string root() const { return (directory_.path() / "root").string(); }
  [[nodiscard]] std::string spec() const { return "dir:" + (directory_.path() / "store").string(); }

  // Each file's hash by its name, folders too. Locks are no change, nor is what SQLite maps while it reads.
  [[nodiscard]] std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
      const std::string name = entry.path().string();
      if (!name.ends_with("lock") && !name.ends_with("-shm") && !name.ends_with("-wal")) {
        found[name] = entry.is_regular_file() ? sha256_hex(read_file(entry.path()).value_or("unreadable")) : "";
      }
    }
    return found;
  }

  int run(std::vector<std::string> words) {
    words.insert(words.begin(), {"domsmith", "--root", root(), "--store", spec(), "--progress", "none"});
    std::vector<const char*> argv;
    for (const std::string& word : words) {
      argv.push_back(word.c_str());
    }
    out_ = std::make_unique<Captured>();
    err_ = std::make_unique<Captured>();
    CliContext cli(DOMSMITH_BINARY_DIR "/bin/domsmith", Output(out_->file(), err_->file()));
    add_all_commands(cli);
    return cli.run(static_cast<int>(argv.size()), argv.data());
  }
  void expect_plan(const std::vector<std::string>& words, const std::string& says) {
    const auto before = everything();
    EXPECT_EQ(run(words), 0) << err_->text();
    EXPECT_THAT(out_->text(), HasSubstr(says));
    EXPECT_EQ(before, everything()) << testing::PrintToString(words);
  }

  TemporaryDirectory directory_ = *TemporaryDirectory::make();
  std::unique_ptr<Captured> out_, err_;
};

TEST_F(PlanTest, AnImageThatOnlyTheStoreKnowsIsNotEntered) {
  expect_plan({"clone", "gold", "--name", "web", "--count", "2", "--plan"}, "2 clones of image gold");
  expect_plan({"image", "remove", "gold", "--plan"}, "remove image gold");
  expect_plan({"image", "export", "gold", "-o", root() + "/out", "--plan"}, "gold.img");
  expect_plan({"image", "show", "gold"}, "image     gold 1");
}

TEST_F(PlanTest, NothingIsMadeWhereThereIsNoRegistry) {
  expect_plan({"guest", "reset", "--all", "--plan"}, "reset 0 guests");
  expect_plan({"guest", "remove", "--all", "--plan"}, "remove 0 guests");
  expect_plan({"image", "import", "/nowhere", "--plan"}, "copy the image");
  expect_plan({"list"}, "");
  EXPECT_FALSE(fs::exists(root()));
}

TEST_F(PlanTest, GuestsThatAreThereStayAsTheyAre) {
  ASSERT_EQ(run({"clone", "gold", "--name", "web", "--count", "2"}), 0) << err_->text();
  expect_plan({"clone", "gold", "--name", "db", "--plan"}, "one clone of image gold");
  expect_plan({"guest", "reset", "web-*", "--plan"}, "reset 2 guests");
  expect_plan({"guest", "remove", "--all", "--plan"}, "remove 2 guests");
  expect_plan({"image", "remove", "gold", "--plan"}, "remove image gold");
}

}  // namespace
}  // namespace domsmith
