// A root and a folder store with one golden image, "gold", that describes itself and that no registry knows yet; and
// the whole command line on them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

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

// A golden image that describes itself, as a build leaves it.
inline Result<void> write_golden_image(BlockTarget& target) {
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

class GoldenStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto store = open_store(spec());
    ASSERT_TRUE(store);
    ASSERT_TRUE((*store)->create("gold", 16U << 20));
    {
      const auto target = (*store)->open("gold", Access::read_write);
      ASSERT_TRUE(target);
      const auto written = write_golden_image(**target);
      ASSERT_TRUE(written) << error_text(written.error());
    }
    ASSERT_TRUE((*store)->seal("gold"));
  }
  [[nodiscard]] std::string root() const { return (directory_.path() / "root").string(); }
  [[nodiscard]] std::string spec() const { return "dir:" + (directory_.path() / "store").string(); }

  // The exit status; what was said is in out_ and err_, but progress, which goes to the real standard error.
  int run(std::vector<std::string> words, const std::string& progress = "none") {
    words.insert(words.begin(), {"domsmith", "--root", root(), "--store", spec(), "--progress", progress});
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
  TemporaryDirectory directory_ = *TemporaryDirectory::make();
  std::unique_ptr<Captured> out_, err_;
};

}  // namespace domsmith
