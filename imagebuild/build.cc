#include "imagebuild/build.h"

#include <fmt/format.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "base/text.h"
#include "imagebuild/archive/tar.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/extfs/writer.h"
#include "imagebuild/packages/package_run.h"

namespace domsmith {
namespace {

constexpr std::uint64_t dpkg_status_limit = 64ULL << 20;

// mmdebstrap's messages come from a thread of their own: one event at a time reaches the listener.
class OneAtATime final : public Progress {
 public:
  explicit OneAtATime(Progress& listener) : listener_(&listener) {}
  void event(const ProgressEvent& event) override {
    const std::scoped_lock lock(mutex_);
    listener_->event(event);
  }

 private:
  std::mutex mutex_;
  Progress* listener_;
};

ArchiveLimits limits_of(const Recipe& recipe) {
  ArchiveLimits limits;
  // A tree that is too large is read on, so that the error can name the size that would do; yet not without end.
  limits.data_bytes = std::max<std::uint64_t>(recipe.filesystem.size * 16, 64ULL << 30);
  return limits;
}

// The tree from mmdebstrap's tar. Its own failure is what a person has to hear of, not that the tar ended early.
Result<void> write_tree(const BuildPlan& plan, extfs::TreeWriter& writer, Progress& progress,
                        const std::filesystem::path& work) {
  auto run = TRY(packages::PackageRun::start(plan.packages, progress, work));
  const auto archived = read_archive(run.tar(), writer, limits_of(plan.recipe), progress);
  if (!archived) {
    run.close_tar();
  }
  TRY_AS(run.finish(), fmt::format("cannot build the packages of '{}'", plan.recipe.image.name));
  TRY_AS(archived, "cannot read the tree that mmdebstrap made");
  return {};
}

Result<void> read_back(const BuildPlan& plan, extfs::FileSystem& image, BuildResult& result) {
  result.uuid = extfs::uuid_text(image.uuid());
  result.label = image.label();
  const std::string status = TRY(image.read_file("/var/lib/dpkg/status", dpkg_status_limit));
  result.packages = installed_packages(status);
  if (plan.recipe.boot.kernel != "none") {
    result.boot = TRY_AS(boot::extract_boot_files(image, plan.recipe.boot, plan.recipe.filesystem.type),
                         "cannot make the image's boot files");
  }
  return {};
}

}  // namespace

Result<BuildPlan> plan_build(const Recipe& recipe, const packages::HostFacts& host) {
  if (recipe.filesystem.type != "ext4") {
    return fail(ErrorCode::unsupported, fmt::format("cannot make a file system of type '{}'", recipe.filesystem.type),
                "use [filesystem] type = \"ext4\"");
  }
  const std::string words = " " + recipe.boot.cmdline;
  if (recipe.boot.kernel != "none" && !words.contains(" root=")) {
    return fail(ErrorCode::bad_input, "the kernel's command line does not say where the root file system is",
                "add it to the recipe: [boot] cmdline = \"root=/dev/xvda ro console=hvc0\"");
  }
  return BuildPlan{.recipe = recipe, .packages = TRY(packages::plan_packages(recipe, host))};
}

std::string plan_text(const BuildPlan& plan) {
  const Recipe& recipe = plan.recipe;
  std::string text = fmt::format("image {} {}\n{}", recipe.image.name, recipe.image.version, plan_text(plan.packages));
  text += fmt::format("file system {} '{}' of {} ({} bytes)\n", recipe.filesystem.type, recipe.filesystem.label,
                      size_text(recipe.filesystem.size), recipe.filesystem.size);
  if (recipe.boot.kernel == "none") {
    return text + "no boot files\n";
  }
  std::vector<std::string> modules{"xen-blkfront", "xen-netfront", recipe.filesystem.type};
  modules.insert(modules.end(), recipe.boot.modules.begin(), recipe.boot.modules.end());
  return text + fmt::format("boot files: the newest kernel of {}, an initramfs with {}\n  command line: {}\n",
                            recipe.boot.kernel, join(modules, ", "), recipe.boot.cmdline);
}

nlohmann::json plan_json(const BuildPlan& plan) {
  const Recipe& recipe = plan.recipe;
  nlohmann::json boot = nullptr;
  if (recipe.boot.kernel != "none") {
    boot = {{"kernel", recipe.boot.kernel}, {"modules", recipe.boot.modules}, {"cmdline", recipe.boot.cmdline}};
  }
  return {{"image", {{"name", recipe.image.name}, {"version", recipe.image.version}}},
          {"packages", plan_json(plan.packages)},
          {"filesystem",
           {{"type", recipe.filesystem.type}, {"label", recipe.filesystem.label}, {"bytes", recipe.filesystem.size}}},
          {"boot", std::move(boot)}};
}

Result<BuildResult> build(const BuildPlan& plan, BlockTarget& target, Progress& listener,
                          const std::filesystem::path& work) {
  OneAtATime progress(listener);
  extfs::FormatOptions options;
  options.label = plan.recipe.filesystem.label;
  options.size = plan.recipe.filesystem.size;
  auto image = TRY_AS(extfs::FileSystem::format(target, options), "cannot make the image's file system");
  BuildResult result;
  {
    extfs::TreeWriter writer(image);
    TRY(write_tree(plan, writer, progress, work));
    TRY(check_interrupted());
    progress.begin("file system");
    TRY_AS(writer.finish(), fmt::format("cannot write the file system of '{}'", plan.recipe.image.name));
    const extfs::WriterStats& stats = writer.stats();
    result.files = stats.files + stats.directories + stats.symlinks + stats.specials;
    result.content_bytes = stats.data_bytes;
    result.written_bytes = stats.bytes_written;
    progress.end("file system");
  }
  TRY(image.close());
  // What is read from here on is what stands on the target, not what memory remembers of it.
  progress.begin("boot files");
  auto written = TRY(extfs::FileSystem::open(target, Access::read_only));
  TRY(read_back(plan, written, result));
  const boot::KernelAbility& ability = result.boot.ability;
  if (ability.known && !ability.pv && !ability.pvh) {
    progress.warning(fmt::format("the kernel {} boots neither as a PV nor as a PVH guest", result.boot.version));
  }
  progress.end("boot files");
  return result;
}

}  // namespace domsmith
