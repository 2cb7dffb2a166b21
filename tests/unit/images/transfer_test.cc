// Images in plain files: what a folder says of itself is taken on trust only as far as its hashes go.
#include "provision/images/transfer.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error_text.h"
#include "base/file.h"
#include "base/json_text.h"
#include "tests/unit/cli/golden_store.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A host with an empty registry and an empty folder store.
struct TransferHost {
  TemporaryDirectory folder = *TemporaryDirectory::make();
  Registry registry = *Registry::open(folder.path() / "registry");
  std::unique_ptr<VolumeStore> store = *open_store("dir:" + (folder.path() / "store").string());
  Workplace place{
      registry,  Journal(folder.path() / "journal"), folder.path(), folder.path() / "boot", folder.path() / "xen",
      open_store};
};

class Exported : public testing::Test {
 protected:
  void SetUp() override {
    const std::string raw = folder_.path() / "gold.img";
    ASSERT_TRUE(write_file_atomic(raw, ""));
    fs::resize_file(raw, 16U << 20);
    ASSERT_TRUE(write_golden_image(**open_block_target(raw, Access::read_write)));
    TransferHost host;
    const auto image = import_image(host.place, *host.store, raw, "", progress_);
    ASSERT_TRUE(image) << error_text(image.error());
    image_ = *image;
    ASSERT_TRUE(export_image(host.place, *host.store, image_, out_, progress_));
  }
  Result<ImageRecord> imported() {
    TransferHost host;
    return import_exported(host.place, *host.store, out_, progress_);
  }
  TemporaryDirectory folder_ = *TemporaryDirectory::make();
  fs::path out_ = folder_.path() / "out";
  ImageRecord image_;
  SilentProgress progress_;
};

TEST_F(Exported, IsWhatItWasWithoutALookInside) {
  TransferHost host;
  const auto there = import_exported(host.place, *host.store, out_, progress_);
  ASSERT_TRUE(there) << error_text(there.error());
  ImageRecord wanted = image_;
  wanted.store = there->store;
  wanted.created = there->created;
  EXPECT_EQ(*there, wanted);
  EXPECT_FALSE(there->kernel_sha256.empty());
  EXPECT_TRUE(fs::exists(host.folder.path() / "boot" / ("kernel-" + there->kernel_sha256)));
  EXPECT_TRUE(fs::exists(host.folder.path() / "boot" / ("initrd-" + there->initrd_sha256)));
}

// Of what is copied: a disk of 2 GiB that holds 400 MiB is not at a fifth when all of it is there.
TEST_F(Exported, ProgressIsOfTheBlocksInUse) {
  class Recorder final : public Progress {
   public:
    void event(const ProgressEvent& event) override {
      if (event.kind == ProgressEvent::Kind::advance && event.stage == "copy") {
        last = event;
      }
    }
    ProgressEvent last;
  } recorder;
  TransferHost host;
  ASSERT_TRUE(import_exported(host.place, *host.store, out_, recorder));
  EXPECT_GT(recorder.last.total, 0U);
  EXPECT_LT(recorder.last.total, image_.size);
  EXPECT_EQ(recorder.last.done, recorder.last.total);
}

TEST_F(Exported, ABootFileThatIsAnotherOneIsRefused) {
  ASSERT_TRUE(write_file_atomic(out_ / "initrd.img", "another one"));
  const auto there = imported();
  ASSERT_FALSE(there);
  EXPECT_THAT(there.error().what, HasSubstr("initrd.img is not the file that was exported"));
}

TEST_F(Exported, ARecordThatIsNoneIsRefused) {
  for (const char* text : {"", "no JSON", "[]", "{\"name\": 7}"}) {
    ASSERT_TRUE(write_file_atomic(out_ / "gold.json", text));
    const auto there = imported();
    ASSERT_FALSE(there) << text;
    EXPECT_THAT(there.error().what, HasSubstr("no record of an image")) << text;
  }
}

TEST_F(Exported, ANameThatIsNoneIsRefused) {
  auto facts = nlohmann::json::parse(*read_file(out_ / "gold.json"));
  facts["name"] = "../gold";
  ASSERT_TRUE(write_file_atomic(out_ / "gold.json", json_text(facts)));
  EXPECT_FALSE(imported());
}

}  // namespace
}  // namespace domsmith
