// The contract, passed by the in-memory store and by folders on the file systems that this host has.
#include "base/file.h"
#include "tests/unit/stores/scratch_filesystem.h"
#include "tests/unit/stores/store_contract_shape.h"

namespace domsmith::testing {

namespace {

class StoreBySpec : public StoreUnderTest {
 public:
  explicit StoreBySpec(std::string spec) : spec_(std::move(spec)), store_(open_store(spec_).value()) {}
  VolumeStore& store() override { return *store_; }
  std::unique_ptr<VolumeStore> another_handle() override { return open_store(spec_).value(); }

 private:
  std::string spec_;
  std::unique_ptr<VolumeStore> store_;
};

std::unique_ptr<StoreUnderTest> memory_store() {
  static int count = 0;
  return std::make_unique<StoreBySpec>("memory:contract-" + std::to_string(++count));
}

class FolderUnderTest final : public StoreBySpec {
 public:
  FolderUnderTest(TemporaryDirectory folder)
      : StoreBySpec("dir:" + (folder.path() / "store").string()), folder_(std::move(folder)) {}

 private:
  TemporaryDirectory folder_;
};

std::unique_ptr<StoreUnderTest> folder_store() {
  return std::make_unique<FolderUnderTest>(TemporaryDirectory::make().value());
}

class ScratchUnderTest final : public StoreBySpec {
 public:
  explicit ScratchUnderTest(ScratchFilesystem filesystem)
      : StoreBySpec("dir:" + (filesystem.path() / "store").string()), filesystem_(std::move(filesystem)) {}

 private:
  ScratchFilesystem filesystem_;
};

StoreMaker on(const std::string& type) {
  return {type, [type]() -> std::unique_ptr<StoreUnderTest> {
            auto filesystem = ScratchFilesystem::make(type, 400ULL << 20);
            if (!filesystem) {
              [&] { GTEST_SKIP() << error_text(filesystem.error()); }();
              return nullptr;
            }
            return std::make_unique<ScratchUnderTest>(*std::move(filesystem));
          }};
}

std::string label(const ::testing::TestParamInfo<StoreMaker>& info) { return info.param.label; }

}  // namespace

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract,
                         ::testing::Values(StoreMaker{"memory", memory_store}, StoreMaker{"folder", folder_store},
                                           on("ext4"), on("xfs"), on("btrfs"), on("tmpfs")),
                         label);

}  // namespace domsmith::testing
