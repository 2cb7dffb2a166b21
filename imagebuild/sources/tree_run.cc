#include "imagebuild/sources/tree_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/worker.h"
#include "imagebuild/archive/sealed.h"
#include "imagebuild/foreign/foreign_disk.h"
#include "imagebuild/recipe/sources.h"
#include "imagebuild/sources/chroot.h"
#include "imagebuild/sources/layers.h"
#include "imagebuild/sources/managers.h"
#include "imagebuild/sources/namespaces.h"
#include "imagebuild/sources/oci.h"
#include "imagebuild/sources/tree_folder.h"
#include "imagebuild/tree/folder.h"
#include "imagebuild/tree/stream.h"

namespace domsmith::sources {
namespace {

using Kind = RecipeSource::Kind;

// An archive from outside: its device nodes are not taken, the kernel makes them anew (devtmpfs).
ArchiveLimits source_limits() {
  ArchiveLimits limits;
  limits.devices = ArchivePolicy::skip;
  limits.entries = 5'000'000;
  limits.data_bytes = 1ULL << 40;
  return limits;
}

// Archives to be unpacked one upon the other, the lowest first.
struct Layers {
  std::vector<Fd> files;
  std::optional<foreign::ForeignDisk> disk;  // whose tar is the only one

  [[nodiscard]] std::vector<int> descriptors() const {
    std::vector<int> all;
    for (const Fd& file : files) {
      all.push_back(file.get());
    }
    if (disk) {
      all.push_back(disk->tar());
    }
    return all;
  }
};

Result<Fd> open_source(const SourcePlan& plan) {
  SourceFolder folder(plan.recipe_folder);
  Fd file = TRY_AS(folder.open(plan.source.location), fmt::format("cannot read '{}'", plan.source.location));
  if (!plan.source.sha256.empty()) {
    const std::string found = TRY(file_sha256(file.get()));
    if (found != plan.source.sha256) {
      return fail(
          ErrorCode::bad_input,
          fmt::format("'{}' is not the file that the recipe means: its SHA-256 is {}", plan.source.location, found),
          "get the right file, or put this SHA-256 into the recipe");
    }
  }
  return file;
}

Result<Layers> layers_of_layout(int folder, const std::string& architecture) {
  Layers layers;
  for (const OciLayer& layer : TRY(read_oci_layout(folder, architecture)).layers) {
    layers.files.push_back(TRY(open_blob(folder, layer)));
  }
  return layers;
}

bool is_folder(int fd) {
  struct stat info{};
  return ::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
}

// An archive of a layout is unpacked as it is; nothing in it is run or belongs to anybody.
Result<Layers> layers_of_archive(int archive, const SourcePlan& plan, const std::filesystem::path& work,
                                 Progress& progress) {
  const std::filesystem::path folder = work / "oci";
  TRY(make_directories(folder, 0700));
  TreeFolder writer = TRY(TreeFolder::open(folder, Owners::ours));
  TRY(read_archive_sealed(archive, writer, source_limits(), progress));
  TRY(writer.finish());
  const Fd layout = TRY(open_fd(folder, O_RDONLY | O_DIRECTORY));
  if (::faccessat(layout.get(), "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return fail(ErrorCode::unsupported, fmt::format("'{}' is no archive of an OCI layout", plan.source.location),
                "make one of it: skopeo copy docker-archive:FILE oci-archive:NEW");
  }
  return layers_of_layout(layout.get(), plan.architecture);
}

Result<Layers> layers_of_registry(const SourcePlan& plan, const std::filesystem::path& work) {
  Command fetch = plan.commands.at(0);
  fetch.argv.at(0) = TRY(find_program("skopeo"));
  fetch.argv.back() = fmt::format("oci:{}:image", (work / "oci").string());
  TRY_AS(run_checked(fetch), fmt::format("cannot fetch {}", plan.source.location));
  const Fd layout = TRY(open_fd(work / "oci", O_RDONLY | O_DIRECTORY));
  return layers_of_layout(layout.get(), plan.architecture);
}

Result<Layers> open_layers(const SourcePlan& plan, const std::filesystem::path& work, Progress& progress) {
  if (plan.source.kind == Kind::oci && plan.source.location.starts_with("docker://")) {
    return layers_of_registry(plan, work);
  }
  Fd file = TRY(open_source(plan));
  if (plan.source.kind == Kind::oci) {
    return is_folder(file.get()) ? layers_of_layout(file.get(), plan.architecture)
                                 : layers_of_archive(file.get(), plan, work, progress);
  }
  Layers layers;
  if (plan.source.kind == Kind::disk) {
    layers.disk = TRY(foreign::ForeignDisk::open(plan.recipe_folder / plan.source.location, plan.source.format));
  } else {
    layers.files.push_back(std::move(file));
  }
  return layers;
}

Result<void> unpack(const Layers& layers) {
  SilentProgress silent;
  TreeFolder writer = TRY(TreeFolder::open(tree_folder, Owners::keep));
  for (const int layer : layers.descriptors()) {
    LayerSink sink(writer);
    TRY(read_archive_sealed(layer, sink, source_limits(), silent));
    TRY(sink.finish());
  }
  return {};
}

bool from_manager(const SourcePlan& plan) { return plan.source.kind == Kind::rpm || plan.source.kind == Kind::pacman; }

// Runs in a worker, which is nothing but this.
Result<void> work_in_namespaces(const SourcePlan& plan, const Layers& layers, const std::filesystem::path& tree,
                                int out) {
  TRY(enter_namespaces(tree));
  TRY(from_manager(plan) ? install_packages(plan) : unpack(layers));
  TRY(run_steps_in_tree(plan.steps, plan.network));
  SilentProgress silent;
  StreamSink stream(out);
  TRY(read_folder(tree_folder, stream, silent));
  return stream.finish();
}

Result<std::filesystem::path> make_tree_folder(const std::filesystem::path& work) {
  const std::filesystem::path tree = work / "tree";
  TRY(make_directories(tree, 0755));
  if (::chown(tree.c_str(), outer_root, outer_root) != 0) {
    return fail_errno("cannot prepare the folder of the tree", errno,
                      "a recipe with [source] is built by root: its files belong to many users");
  }
  return tree;
}

}  // namespace

Result<void> write_source_tree(const SourcePlan& plan, TreeSink& sink, Progress& progress,
                               const std::filesystem::path& given) {
  std::optional<TemporaryDirectory> own;
  if (given.empty()) {
    own = TRY(TemporaryDirectory::make("domsmith-build-"));
  }
  const std::filesystem::path& work = own ? own->path() : given;
  const std::filesystem::path tree = TRY(make_tree_folder(work));
  progress.begin("source");
  Layers layers = from_manager(plan) ? Layers{} : TRY(open_layers(plan, work, progress));
  WorkerOptions options;
  options.sealed = false;
  options.keep = layers.descriptors();
  Worker worker = TRY(Worker::start(options, [&](int out) { return work_in_namespaces(plan, layers, tree, out); }));
  TRY(receive_tree(worker, sink, progress, "tree"));
  if (layers.disk) {
    TRY(layers.disk->finish());
  }
  progress.end("source");
  return {};
}

}  // namespace domsmith::sources
