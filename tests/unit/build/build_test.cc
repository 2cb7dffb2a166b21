// A whole build of a small tree, that a stand-in for the engine gives. No network, no root.
#include "imagebuild/build.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/crypto.h"
#include "base/file.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/tree/folder.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* status =
    "Package: base-files\nStatus: install ok installed\nVersion: 12.4\nArchitecture: amd64\n";

class BuildTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::make();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    put("tree/var/lib/dpkg/status", status);
    put("tree/etc/hostname", "web\n");
    put("tree/boot/vmlinuz-6.1.0-1-amd64", "kernel");
    put("tree/lib/modules/6.1.0-1-amd64/modules.dep", "");
    put("tree/lib/modules/6.1.0-1-amd64/modules.builtin", "a/xen-blkfront.ko\na/xen-netfront.ko\na/ext4.ko\n");
    recipe_.image.name = "web";
    recipe_.image.architecture = "amd64";
    recipe_.distribution.release = "bookworm";
    recipe_.system.hostname = "web";
    recipe_.filesystem.size = 64ULL << 20;
    recipe_.boot.kernel = "linux-image-amd64";
  }

  std::string path(const std::string& name) { return folder_->path() / name; }
  void put(const std::string& name, const std::string& bytes) { ASSERT_TRUE(write_file_atomic(path(name), bytes)); }

  BuildPlan plan() {
    const packages::HostFacts host{
        .root = true,
        .architecture = "amd64",
        .sources = {{"http://mirror.example/debian", "bookworm", {"main"}, "", false, "f:1", {}}},
        .environment = {}};
    auto made = plan_build(recipe_, host);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  Result<BuildResult> build_tree() {
    return build_given([&](TreeSink& sink, Progress& progress) -> Result<void> {
      TRY(read_folder(path("tree"), sink, progress));
      return {};
    });
  }
  Result<BuildResult> build_given(const GiveTree& give) {
    target_ = memory_target(recipe_.filesystem.size);
    return build_from(plan(), *target_, progress_, {}, give);
  }

  std::optional<TemporaryDirectory> folder_;
  Recipe recipe_;
  SilentProgress progress_;
  std::unique_ptr<BlockTarget> target_;
};

TEST_F(BuildTest, AnAutomaticSizeIsWhatTheTreeNeedsAndItsHeadroom) {
  put("tree/srv/large", std::string(200U << 20, 'x'));
  const GiveTree give = [&](TreeSink& sink, Progress& progress) -> Result<void> {
    TRY(read_folder(path("tree"), sink, progress));
    return {};
  };
  const auto measured = [&](const char* headroom) {
    recipe_.filesystem.size = 0;
    recipe_.filesystem.headroom = headroom;
    SilentProgress progress;
    return measure_from(plan(), progress, give).value_or(0);
  };
  const std::uint64_t least = measured("0%");
  EXPECT_EQ(least % (1U << 20), 0U);
  EXPECT_EQ(measured("0%"), least);
  EXPECT_EQ(measured("64MiB"), least + (64ULL << 20));
  EXPECT_GE(measured("10%"), least + (20ULL << 20));
  EXPECT_LE(measured("10%"), least + (24ULL << 20));
  recipe_.filesystem.size = least;
  EXPECT_TRUE(build_tree());
  // No room is wasted: what another layout could take apart (extfs/needed_size.h) is all there is.
  recipe_.filesystem.size = least - (4ULL << 20);
  const auto smaller = build_tree();
  ASSERT_FALSE(smaller);
  EXPECT_EQ(smaller.error().code, ErrorCode::no_space);
}

TEST_F(BuildTest, APlanSaysThatTheSizeIsNotKnownYet) {
  recipe_.filesystem.size = 0;
  recipe_.filesystem.headroom = "20%";
  EXPECT_THAT(plan_text(plan()),
              HasSubstr("file system ext4 'root' of what is in it and 20%; the tree is made once to be measured\n"));
  EXPECT_EQ(plan_json(plan())["filesystem"]["bytes"], nullptr);
  EXPECT_EQ(plan_json(plan())["filesystem"]["headroom"], "20%");
}

TEST_F(BuildTest, TreeBecomesAnImageWithBootFiles) {
  const auto result = build_tree();
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_EQ(result->label, "root");
  EXPECT_EQ(result->uuid.size(), 36U);
  EXPECT_THAT(result->packages, ElementsAre(InstalledPackage{"base-files", "12.4", "amd64"}));
  EXPECT_EQ(result->boot.version, "6.1.0-1-amd64");
  EXPECT_EQ(result->boot.kernel, "kernel");
  EXPECT_GT(result->files, 5U);
  EXPECT_GT(result->written_bytes, result->content_bytes);

  auto image = extfs::FileSystem::open(*target_, Access::read_only);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->read_file("/etc/hostname", 100), "web\n");
}

TEST_F(BuildTest, ImageWithoutKernelHasNoBootFiles) {
  recipe_.boot.kernel = "none";
  const auto result = build_tree();
  ASSERT_TRUE(result) << result.error().what;
  EXPECT_EQ(result->boot.version, "");
  EXPECT_EQ(result->boot.kernel, "");
}

TEST_F(BuildTest, TheSameTreeAndStampMakeTheSameBytes) {
  extfs::Uuid uuid{};
  uuid[0] = std::byte{7};
  const auto make = [&] {
    auto target = memory_target(recipe_.filesystem.size);
    const auto result = build_from(plan(), *target, progress_, {.uuid = uuid, .hash_seed = uuid, .time = 1'700'000'000},
                                   [&](TreeSink& sink, Progress& progress) -> Result<void> {
                                     TRY(read_folder(path("tree"), sink, progress));
                                     return {};
                                   });
    EXPECT_TRUE(result);
    std::string bytes(recipe_.filesystem.size, '\0');
    EXPECT_TRUE(target->read(0, std::as_writable_bytes(std::span(bytes))));
    return sha256_hex(bytes);
  };
  const std::string first = make();
  // A second on, a clock that is read anywhere would show.
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_EQ(first, make());
}

TEST_F(BuildTest, FailureOfTheTreeIsTheError) {
  const auto result = build_given([](TreeSink&, Progress&) -> Result<void> {
    return fail(ErrorCode::not_found, "a package of the recipe does not exist in 'bookworm'");
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "a package of the recipe does not exist in 'bookworm'");
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
}

TEST_F(BuildTest, SizeThatIsTooSmallNamesOneThatDoes) {
  put("tree/big", std::string(100U << 20, 'x'));
  const auto result = build_tree();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::no_space);
  EXPECT_THAT(result.error().remedy, HasSubstr("MiB"));
}

TEST_F(BuildTest, ImageWithoutTheKernelItShouldHave) {
  std::filesystem::remove_all(path("tree/boot"));
  const auto result = build_tree();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "cannot make the image's boot files");
  EXPECT_THAT(result.error().causes.at(0), HasSubstr("no kernel"));
}

TEST_F(BuildTest, CommandLineWithoutARootCannotBoot) {
  recipe_.boot.cmdline = "console=hvc0 quiet";
  const packages::HostFacts host{.root = true,
                                 .architecture = "amd64",
                                 .sources = {{"http://m", "bookworm", {"main"}, "", false, "f:1", {}}},
                                 .environment = {}};
  const auto refused = plan_build(recipe_, host);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  recipe_.boot.kernel = "none";
  EXPECT_TRUE(plan_build(recipe_, host));
}

TEST_F(BuildTest, PlanSaysWhatWillBeWritten) {
  recipe_.boot.modules = {"virtio_blk"};
  const auto made = plan();
  const std::string text = plan_text(made);
  EXPECT_THAT(text, HasSubstr("image web 1\n"));
  EXPECT_THAT(text, HasSubstr("file system ext4 'root' of 64.0 MiB (67108864 bytes)\n"));
  EXPECT_THAT(text, HasSubstr("an initramfs with xen-blkfront, xen-netfront, ext4, virtio_blk\n"));
  const auto json = plan_json(made);
  EXPECT_EQ(json["filesystem"]["bytes"], 67108864);
  EXPECT_EQ(json["boot"]["modules"][0], "virtio_blk");
  EXPECT_EQ(json["packages"]["mode"], "root");
}

}  // namespace
}  // namespace domsmith
