#include "imagebuild/build.h"

#include <fmt/format.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "base/write_behind.h"
#include "imagebuild/boot/kernel_ability.h"
#include "imagebuild/engine/engine.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/extfs/writer.h"
#include "imagebuild/recipe/headroom.h"
#include "imagebuild/sources/tree_run.h"
#include "imagebuild/tree/watched_sink.h"
#include "imagebuild/tree/wire.h"

namespace domsmith {
namespace {

// The engine's messages come from a thread of their own: one event at a time reaches the listener.
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

// Where the build works: the caller's folders, or one of its own.
struct Folders {
  std::optional<TemporaryDirectory> own;
  std::filesystem::path work;
  engine::EngineOptions engine;
};

Result<Folders> make_folders(const BuildOptions& options) {
  Folders folders;
  if (options.work.empty() || options.cache.empty()) {
    folders.own = TRY(TemporaryDirectory::make("domsmith-build-"));
  }
  const std::filesystem::path own = folders.own ? folders.own->path() : std::filesystem::path();
  folders.work = options.work.empty() ? own / "work" : options.work;
  TRY(make_directories(folders.work, 0700));
  folders.engine = {.cache = options.cache.empty() ? own : options.cache,
                    .layers = options.layers && !options.cache.empty(),
                    .lists_age = options.lists_age};
  return folders;
}

// The tree as the engine makes it. A failure of the image, or else the engine's own, is what a person has to hear of,
// not that the tree ended early.
Result<void> write_tree(const BuildPlan& plan, const engine::PackageSet& set, const Folders& folders, TreeSink& writer,
                        Progress& progress) {
  const std::string failed = fmt::format("cannot build the packages of '{}'", plan.recipe.image.name);
  auto run =
      TRY_AS(engine::TreeBuild::start(plan.packages, set, folders.engine, folders.work / "tree", progress), failed);
  WatchedSink watched(writer);
  const auto read = read_wire(run.tree(), watched);
  if (!read) {
    run.close_tree();
  }
  const auto ended = run.finish();
  if (watched.failed()) {
    TRY_AS(read, fmt::format("cannot write the image of '{}'", plan.recipe.image.name));
  }
  TRY_AS(ended, failed);
  TRY_AS(read, "cannot read the tree that was made");
  return {};
}

Result<void> give_files(const std::map<std::string, std::string>& files, std::int64_t time, TreeSink& sink) {
  for (const auto& [path, bytes] : files) {
    Entry entry;
    entry.path = path;
    entry.mode = 0644;
    entry.size = bytes.size();
    entry.mtime.seconds = time;
    TRY(sink.entry(entry));
    TRY(sink.data(0, std::as_bytes(std::span(bytes))));
  }
  return {};
}

// From what goes in alone, so that the same recipe and the same packages make the same bytes (RFC 9562, version 8).
extfs::Uuid derived_uuid(std::string_view purpose, std::string_view from) {
  const std::string digits = sha256_hex(fmt::format("{}\n{}", purpose, from));
  extfs::Uuid uuid{};
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    uuid[i] = static_cast<std::byte>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  }
  uuid[6] = (uuid[6] & std::byte{0x0f}) | std::byte{0x80};
  uuid[8] = (uuid[8] & std::byte{0x3f}) | std::byte{0x80};
  return uuid;
}

ImageStamp stamp_of(const BuildPlan& plan, const engine::PackageSet& set) {
  std::string what = plan_json(plan).dump();
  for (const packages::HookSteps& hook : plan.packages.hooks) {
    what += agent::encode_steps(hook.steps);
  }
  for (const engine::Package& package : set.packages) {
    what += fmt::format("{} {}\n", package.file(), package.sha256);
  }
  return {.uuid = derived_uuid("uuid", what), .hash_seed = derived_uuid("hash seed", what), .time = set.epoch};
}

Result<void> read_back(const BuildPlan& plan, extfs::FileSystem& image, BuildResult& result) {
  result.uuid = extfs::uuid_text(image.uuid());
  result.label = image.label();
  result.used_bytes = image.used_bytes();
  result.packages = TRY(installed_in(image)).packages;
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
  if (recipe.source.kind != RecipeSource::Kind::none) {
    return BuildPlan{.recipe = recipe, .packages = {}, .source = TRY(sources::plan_source(recipe))};
  }
  return BuildPlan{.recipe = recipe, .packages = TRY(packages::plan_packages(recipe, host)), .source = {}};
}

std::string plan_text(const BuildPlan& plan) {
  const Recipe& recipe = plan.recipe;
  std::string text = fmt::format("image {} {}\n{}", recipe.image.name, recipe.image.version,
                                 plan.source ? sources::plan_text(*plan.source) : plan_text(plan.packages));
  text += fmt::format(
      "file system {} '{}' of {}\n", recipe.filesystem.type, recipe.filesystem.label,
      recipe.filesystem.size == 0
          ? fmt::format("what is in it and {}; the tree is made once to be measured", recipe.filesystem.headroom)
          : fmt::format("{} ({} bytes)", size_text(recipe.filesystem.size), recipe.filesystem.size));
  if (recipe.boot.kernel == "none") {
    return text + "no boot files\n";
  }
  std::vector<std::string> modules{"xen-blkfront", "xen-netfront", recipe.filesystem.type};
  modules.insert(modules.end(), recipe.boot.modules.begin(), recipe.boot.modules.end());
  return text + fmt::format("boot files: the newest kernel of {}, an initramfs with {}\n  command line: {}\n",
                            recipe.boot.kernel.empty() ? "the tree" : recipe.boot.kernel, join(modules, ", "),
                            recipe.boot.cmdline);
}

nlohmann::json plan_json(const BuildPlan& plan) {
  const Recipe& recipe = plan.recipe;
  const Recipe::Filesystem& filesystem = recipe.filesystem;
  nlohmann::json size{{"type", filesystem.type}, {"label", filesystem.label}, {"bytes", filesystem.size}};
  if (filesystem.size == 0) {
    size["bytes"] = nullptr;
    size["headroom"] = filesystem.headroom;
  }
  nlohmann::json boot = nullptr;
  if (recipe.boot.kernel != "none") {
    boot = {{"kernel", recipe.boot.kernel}, {"modules", recipe.boot.modules}, {"cmdline", recipe.boot.cmdline}};
  }
  return {{"image", {{"name", recipe.image.name}, {"version", recipe.image.version}}},
          {"packages", plan.source ? nlohmann::json() : plan_json(plan.packages)},
          {"source", plan.source ? sources::plan_json(*plan.source) : nlohmann::json()},
          {"filesystem", std::move(size)},
          {"boot", std::move(boot)}};
}

void say_ability(const boot::BootFiles& files, Progress& progress) {
  if (files.version.empty()) {
    return;
  }
  const std::string text = fmt::format("the kernel {} boots {}", files.version, boot::ability_text(files.ability));
  if (files.ability.pv || files.ability.pvh) {
    progress.note(text);
  } else {
    progress.warning(text);
  }
}

Result<void> write_image(const BuildPlan& plan, extfs::FileSystem& image, Progress& progress, const GiveTree& give,
                         BuildResult& result) {
  extfs::TreeWriter writer(image);
  TRY(give(writer, progress));
  TRY(check_interrupted());
  progress.begin("file system");
  TRY_AS(writer.finish(), fmt::format("cannot write the file system of '{}'", plan.recipe.image.name));
  const extfs::WriterStats& stats = writer.stats();
  result.files = stats.files + stats.directories + stats.symlinks + stats.specials;
  result.content_bytes = stats.data_bytes;
  result.written_bytes = stats.bytes_written;
  progress.end("file system");
  return {};
}

Result<BuildResult> build_from(const BuildPlan& plan, BlockTarget& target, Progress& progress, const ImageStamp& stamp,
                               const GiveTree& give) {
  extfs::FormatOptions options;
  options.label = plan.recipe.filesystem.label;
  options.size = plan.recipe.filesystem.size;
  options.uuid = stamp.uuid;
  options.hash_seed = stamp.hash_seed;
  options.time = stamp.time;
  BuildResult result;
  {
    WriteBehind behind(target);  // one process makes the tree, this one reads it, a thread of it writes
    auto image = TRY_AS(extfs::FileSystem::format(behind, options), "cannot make the image's file system");
    TRY(write_image(plan, image, progress, give, result));
    TRY(image.close());
  }
  // What is read from here on is what stands on the target, not what memory remembers of it.
  progress.begin("boot files");
  auto written = TRY(extfs::FileSystem::open(target, Access::read_only));
  TRY(read_back(plan, written, result));
  say_ability(result.boot, progress);
  progress.end("boot files");
  return result;
}

Result<std::uint64_t> measure_from(const BuildPlan& plan, Progress& progress, const GiveTree& give) {
  // A file system that is too small goes on counting, and says in the end what would do (extfs/writer.h).
  constexpr std::uint64_t too_small = 16ULL << 20;
  const auto target = memory_target(too_small);
  auto image = TRY(extfs::FileSystem::format(*target, {.label = plan.recipe.filesystem.label, .size = too_small}));
  extfs::TreeWriter writer(image);
  TRY(give(writer, progress));
  const auto finished = writer.finish();
  if (!finished && finished.error().code != ErrorCode::no_space) {
    return std::unexpected(finished.error());
  }
  const std::uint64_t needed = finished ? too_small : writer.stats().size_least;
  return parse_headroom(plan.recipe.filesystem.headroom).value_or(Headroom{}).size_for(needed);
}

namespace {

// How the plan's tree comes about: of [source], or of packages.
GiveTree giver(const BuildPlan& plan, const engine::PackageSet& chosen, const Folders& folders,
               const BuildOptions& options) {
  return [&](TreeSink& sink, Progress& shown) -> Result<void> {
    if (plan.source) {
      TRY_AS(sources::write_source_tree(*plan.source, sink, shown, folders.work),
             fmt::format("cannot make the tree of '{}'", plan.recipe.image.name));
      return {};
    }
    TRY(write_tree(plan, chosen, folders, sink, shown));
    return give_files(options.files, chosen.epoch, sink);
  };
}

Result<engine::PackageSet> choose(const BuildPlan& plan, const Folders& folders, const BuildOptions& options,
                                  Progress& progress) {
  if (plan.source) {
    return engine::PackageSet{};
  }
  return options.packages ? Result<engine::PackageSet>(*options.packages)
                          : TRY_AS(engine::choose_packages(plan.packages, folders.engine, progress),
                                   fmt::format("cannot build the packages of '{}'", plan.recipe.image.name));
}

}  // namespace

Result<std::uint64_t> measure(const BuildPlan& plan, Progress& listener, const BuildOptions& options) {
  OneAtATime progress(listener);
  const Folders folders = TRY(make_folders(options));
  const engine::PackageSet chosen = TRY(choose(plan, folders, options, progress));
  return measure_from(plan, progress, giver(plan, chosen, folders, options));
}

Result<BuildResult> build(const BuildPlan& plan, BlockTarget& target, Progress& listener, const BuildOptions& options) {
  OneAtATime progress(listener);
  const Folders folders = TRY(make_folders(options));
  engine::PackageSet chosen = TRY(choose(plan, folders, options, progress));
  BuildResult result = TRY(build_from(plan, target, progress, plan.source ? ImageStamp{} : stamp_of(plan, chosen),
                                      giver(plan, chosen, folders, options)));
  result.chosen = std::move(chosen);
  return result;
}

}  // namespace domsmith
