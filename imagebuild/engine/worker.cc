#include "imagebuild/engine/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/fail_point.h"
#include "base/fd.h"
#include "base/file.h"
#include "imagebuild/boot/agent/embedded.h"
#include "imagebuild/engine/housekeeping.h"
#include "imagebuild/engine/inside.h"
#include "imagebuild/engine/stack.h"
#include "imagebuild/engine/tree_out.h"
#include "imagebuild/engine/unpack.h"
#include "imagebuild/tree/folder_writer.h"

namespace domsmith::engine {
namespace {

constexpr const char* package_folder = "/mnt";  // every Debian has it, and it is empty

void say(std::string_view text) { (void)write_all(STDERR_FILENO, fmt::format("I: {}\n", text)); }

class Worker {
 public:
  explicit Worker(const Work& work) : work_(&work), stack_(work.folder, work.layers, work.user) {}

  Result<void> run() {
    for (std::size_t i = 0; i < work_->steps.size(); ++i) {
      const WorkStep& step = work_->steps[i];
      if (i < work_->cached) {
        stack_.have(step.key);
        continue;
      }
      TRY(stack_.begin(fmt::format("layer-{}", i)));
      TRY_AS(i == 0 ? make_base(step) : install(step), fmt::format("cannot install {}", step.what));
      TRY(stack_.keep(step.key, step.what));
      TRY(fail_point(i == 0 ? "engine.base" : "engine.group"));
    }
    TRY(stack_.begin("top"));
    TRY(customize());
    say("writing the tree");
    return give_tree(stack_.root(), work_->epoch, STDOUT_FILENO);
  }

 private:
  Result<void> inside(const std::vector<InsideCommand>& commands, const std::vector<BindMount>& mounts = {}) {
    return run_inside(stack_.root(), commands, environment_of(work_->epoch), mounts);
  }

  // Our agent, with steps of the recipe (boot/agent/steps.h). It says itself what failed.
  Result<void> run_steps(const std::vector<agent::Step>& steps) {
    if (steps.empty()) {
      return {};
    }
    TRY(lend_host_files(stack_.root()));
    TRY(put_file(stack_.root(), "domsmith-agent", agent::agent_program(), 0700));
    TRY(put_file(stack_.root(), "domsmith-steps", agent::encode_steps(steps), 0600));
    TRY(inside({{.argv = {"/domsmith-agent", "/domsmith-steps"}, .environment = {}}}));
    return take_back_host_files(stack_.root());
  }

  Result<void> make_base(const WorkStep& step) {
    const Fd root = TRY(open_fd(stack_.root(), O_RDONLY | O_DIRECTORY));
    say("unpacking essential packages");
    TRY(make_skeleton(stack_.root(), work_->sources_list));
    auto packages = TRY(unpack(work_->archives, step.essential, root.get(), {}));
    const std::size_t essential = packages.size();
    TRY(run_steps(work_->setup));
    // What the recipe told dpkg to leave out counts from here on.
    auto others = TRY(unpack(work_->archives, step.required, root.get(), TRY(read_filter(stack_.root()))));
    std::ranges::move(others, std::back_inserter(packages));
    TRY(write_database(root.get(), work_->architectures, packages));
    say("installing essential packages");
    TRY(keep_services_off(stack_.root()));
    TRY(configure(std::span(packages).first(essential)));
    TRY(configure(std::span(packages).subspan(essential)));
    TRY(inside({{.argv = {"/usr/bin/dpkg", "--configure", "--pending"}, .environment = {}}}));
    TRY(run_steps(work_->essential_steps));
    return let_services_on(stack_.root());
  }

  // Their preinst scripts, then dpkg.
  Result<void> configure(std::span<const UnpackedPackage> packages) {
    std::vector<InsideCommand> commands;
    InsideCommand dpkg{.argv = {"/usr/bin/dpkg", "--configure"}, .environment = {}};
    for (const UnpackedPackage& package : packages) {
      dpkg.argv.push_back(package.database_name());
      if (package.control.contains("preinst")) {
        commands.push_back(
            {.argv = {fmt::format("/var/lib/dpkg/info/{}.preinst", package.database_name()), "install"},
             .environment = {"DPKG_MAINTSCRIPT_NAME=preinst", "DPKG_MAINTSCRIPT_PACKAGE=" + package.package.name,
                             "DPKG_MAINTSCRIPT_ARCH=" + package.package.architecture,
                             "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1", "DPKG_ADMINDIR=/var/lib/dpkg", "DPKG_ROOT="}});
      }
    }
    // The users and groups that the others' scripts speak of.
    std::ranges::stable_partition(
        commands, [](const InsideCommand& each) { return each.argv[0].ends_with("/base-passwd.preinst"); });
    if (!packages.empty()) {
      commands.push_back(std::move(dpkg));
    }
    return inside(commands);
  }

  Result<void> install(const WorkStep& step) {
    say("installing packages");
    TRY(keep_services_off(stack_.root()));
    std::vector<InsideCommand> commands;
    for (const std::vector<Package>& batch : step.batches) {
      InsideCommand dpkg{.argv = {"/usr/bin/dpkg", "--force-unsafe-io", "--install"}, .environment = {}};
      for (const Package& package : batch) {
        dpkg.argv.push_back(fmt::format("{}/{}", package_folder, package.file()));
      }
      commands.push_back(std::move(dpkg));
    }
    TRY(inside(commands, {{.from = work_->archives, .to = package_folder}}));
    return let_services_on(stack_.root());
  }

  Result<void> customize() {
    say("customizing");
    TRY(put_file(stack_.root(), "var/lib/apt/extended_states", work_->extended_states, 0644));
    TRY(keep_services_off(stack_.root()));
    TRY(run_steps(work_->customize));
    TRY(let_services_on(stack_.root()));
    say("cleaning");
    return clean_tree(stack_.root());
  }

  const Work* work_;
  TreeStack stack_;
};

}  // namespace

int make_tree(const Work& work) {
  const auto done = Worker(work).run();
  if (done) {
    return 0;
  }
  std::string text = done.error().what;
  for (const std::string& cause : done.error().causes) {
    text += ": " + cause;
  }
  (void)write_all(STDERR_FILENO, fmt::format("E: {}\n", text));
  if (!done.error().remedy.empty()) {
    (void)write_all(STDERR_FILENO, fmt::format("R: {}\n", done.error().remedy));
  }
  return 1;
}

}  // namespace domsmith::engine
