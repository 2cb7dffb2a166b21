#include "scene.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/clock.h"
#include "base/error_text.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/audit/audit.h"
#include "provision/audit/garbage.h"
#include "provision/audit/repair.h"
#include "provision/guests/ephemeral.h"
#include "provision/guests/run_guest.h"
#include "small_image.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {
constexpr std::uint64_t image_size = 16U << 20;
constexpr const char* image_name = "gold";

DomainTemplate small_template() {
  DomainTemplate domain;
  domain.name = "small";
  domain.memory = 256U << 20;
  domain.maxmem = domain.memory;
  domain.vcpus = 1;
  domain.vifs.resize(1);
  return domain;
}
}  // namespace

namespace {
// A process that is killed loses nothing that the kernel has, so memory will do, and thousands of fsyncs cost nothing.
TemporaryDirectory scene_directory() {
  if (std::getenv("TMPDIR") == nullptr && ::access("/dev/shm", W_OK) == 0) {
    ::setenv("TMPDIR", "/dev/shm", 1);
  }
  return *TemporaryDirectory::make("domsmith-fault-");
}
}  // namespace

Scene::Scene(std::string store)
    : directory_(scene_directory()),
      store_spec_(store.empty() ? fmt::format("dir:{}", (directory_.path() / "store").string()) : std::move(store)) {}

template <class Act>
auto Scene::with_place(Act&& act) const {
  using Answer = decltype(act(std::declval<Workplace&>()));
  auto registry = Registry::open(path() / "registry.sqlite");
  if (!registry) {
    return Answer(std::unexpected(registry.error()));
  }
  Workplace place{*registry,      Journal(path() / "journal"),
                  path(),         path() / "boot",
                  path() / "xen", [](std::string_view spec) { return open_store(spec); }};
  return act(place);
}

Result<void> Scene::build() const {
  return with_place([&](Workplace& place) -> Result<void> {
    SilentProgress silent;
    const auto store = TRY(open_store(store_spec_));
    ImageRecord record;
    record.name = image_name;
    record.version = "1";
    record.size = image_size;
    record.created = system_clock().now();
    const auto populate = [](BlockTarget& target, const fs::path& work) -> Result<Populated> {
      TRY(write_file_atomic(work / "customize.steps", "a password's hash", 0600));
      TRY(fail_point("build.steps.after"));  // a package build has begun
      return populate_small(target);
    };
    TRY(make_image(place, *store, "build", record, populate, silent));
    return {};
  });
}

Result<void> Scene::clone(const std::string& name, std::uint32_t count, const CloneRequest& how) const {
  return with_place([&](Workplace& place) -> Result<void> {
    SilentProgress silent;
    const auto store = TRY(open_store(store_spec_));
    const ImageRecord image = TRY(known_image(place, *store, image_name, silent));
    CloneRequest request = how;
    request.name = name;
    request.count = count;
    request.bridge = "xenbr0";
    const ClonePlan plan = TRY(plan_clone(place, *store, image, small_template(), request));
    TRY(clone_guests(place, *store, plan, silent));
    return {};
  });
}

Result<void> Scene::promote(const std::string& guest, const std::string& image) const {
  return with_place([&](Workplace& place) -> Result<void> {
    SilentProgress silent;
    const auto store = TRY(open_store(store_spec_));
    const PromotePlan plan = TRY(plan_promote(place, *store, TRY(place.registry.find_guest(guest)), image, "2"));
    TRY(promote_guest(place, *store, plan, {}, silent));
    return {};
  });
}

Result<void> Scene::rebase(const std::vector<std::string>& names, const std::string& image, bool force) const {
  return with_place([&](Workplace& place) -> Result<void> {
    SilentProgress silent;
    return rebase_guests(place, TRY(select_guests(place.registry, names)), {.image = image, .force = force}, {},
                         silent);
  });
}

Result<void> Scene::resize(const std::string& guest, std::uint64_t size) const {
  return with_place([&](Workplace& place) -> Result<void> {
    SilentProgress silent;
    return resize_guest(place, TRY(place.registry.find_guest(guest)), size, {}, silent);
  });
}

Result<void> Scene::reset(const std::vector<std::string>& names) const {
  return with_place([&](Workplace& place) -> Result<void> {
    SilentProgress silent;
    return reset_guests(place, TRY(select_guests(place.registry, names)), {}, silent);
  });
}

Result<void> Scene::remove(const std::vector<std::string>& names) const {
  return with_place([&](Workplace& place) -> Result<void> {
    SilentProgress silent;
    return remove_guests(place, TRY(select_guests(place.registry, names)), {}, silent);
  });
}

Result<void> Scene::remove_image() const {
  return with_place([&](Workplace& place) -> Result<void> {
    const auto store = TRY(open_store(store_spec_));
    return domsmith::remove_image(place, *store, image_name);
  });
}

Result<void> Scene::start(const std::vector<std::string>& names) const {
  return with_place([&](Workplace& place) -> Result<void> {
    SilentProgress silent;
    const auto guests = TRY(select_guests(place.registry, names));
    TRY(refresh_ephemeral(place, *toolstack_, guests, silent));
    for (const GuestRecord& guest : guests) {
      TRY(start_guest(place, *toolstack_, guest.name, silent));
    }
    return {};
  });
}

Result<void> Scene::stop(const std::vector<std::string>& names) const {
  return with_place([&](Workplace& place) -> Result<void> {
    return stop_guests(place, *toolstack_, TRY(select_guests(place.registry, names)), {});
  });
}

Result<std::size_t> Scene::recover() const {
  return with_place([&](Workplace& place) -> Result<std::size_t> {
    SilentProgress silent;
    return TRY(domsmith::recover(place, silent)).size();
  });
}

namespace {

std::vector<std::string> sentences(const Audit& audit) {
  std::vector<std::string> all;
  for (const Difference& each : audit.differences) {
    all.push_back(each.subject + ": " + each.text);
  }
  return all;
}

}  // namespace

Result<std::vector<std::string>> Scene::audit() const {
  return with_place([&](Workplace& place) -> Result<std::vector<std::string>> {
    return sentences(TRY(domsmith::audit(place, {store_spec_}, toolstack_.get())));
  });
}

Result<std::vector<std::string>> Scene::fix() const {
  return with_place([&](Workplace& place) -> Result<std::vector<std::string>> {
    SilentProgress silent;
    RepairNeeds needs;
    needs.load_template = [](std::string_view) -> Result<DomainTemplate> { return small_template(); };
    needs.bridge = "xenbr0";
    needs.toolstack = toolstack_.get();
    const Audit found = TRY(domsmith::audit(place, {store_spec_}, toolstack_.get()));
    for (const RepairOutcome& outcome : repair(place, found.differences, needs, silent)) {
      EXPECT_EQ(outcome.failure, "") << outcome.difference.text;
    }
    return sentences(TRY(domsmith::audit(place, {store_spec_}, toolstack_.get())));
  });
}

Result<void> Scene::collect_garbage() const {
  return with_place([&](Workplace& place) -> Result<void> {
    SilentProgress silent;
    return domsmith::collect_garbage(place, TRY(find_garbage(place, {store_spec_}, toolstack_.get())), silent);
  });
}

void Scene::expect_clean() const {
  const auto differences = audit();
  ASSERT_TRUE(differences) << error_text(differences.error());
  EXPECT_EQ(join(*differences, "\n"), "");
}

std::vector<GuestRecord> Scene::guests() const {
  auto listed = with_place([&](Workplace& place) { return place.registry.list_guests(); });
  EXPECT_TRUE(listed) << error_text(listed.error());
  return listed ? *listed : std::vector<GuestRecord>{};
}

std::string Scene::shape() const {
  std::vector<std::string> lines;
  for (const char* part : {"store", "xen", "boot", "journal", "work"}) {
    if (!fs::exists(path() / part)) {
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path() / part)) {
      const std::string name = fs::relative(entry.path(), path()).string();
      if (!entry.is_directory() && name.find("lock") == std::string::npos) {
        lines.push_back(name.ends_with(".img") ? fmt::format("{} {}", name, entry.file_size()) : name);
      }
    }
  }
  const auto rows = with_place([&](Workplace& place) -> Result<void> {
    for (const ImageRecord& image : TRY(place.registry.list_images())) {
      lines.push_back(fmt::format("image {} {}", image.name, state_text(image.state)));
    }
    for (const GuestRecord& guest : TRY(place.registry.list_guests())) {
      lines.push_back(
          fmt::format("guest {} {} {} macs", guest.name, state_text(guest.state), guest.identity.macs.size()));
    }
    return {};
  });
  EXPECT_TRUE(rows) << error_text(rows.error());
  std::ranges::sort(lines);
  return join(lines, "\n");
}

void Scene::expect_whole_clones() const {
  const std::string e2fsck = *find_program("e2fsck");
  const auto store = *open_store(store_spec_);
  for (const GuestRecord& guest : guests()) {
    const auto volume = store->find(guest.volume);
    ASSERT_TRUE(volume) << guest.name;
    const auto checked = run({{e2fsck, "-fn", volume->device}, {}, {}});
    EXPECT_TRUE(checked->status.success()) << guest.name << "\n" << checked->out;
    const auto target = store->open(guest.volume, Access::read_only);
    ASSERT_TRUE(target) << error_text(target.error());
    auto image = extfs::FileSystem::open(**target, Access::read_only);
    ASSERT_TRUE(image) << error_text(image.error());
    EXPECT_EQ(trimmed(image->read_file("/etc/hostname", 1000).value_or("")), guest.name);
    EXPECT_EQ(trimmed(image->read_file("/etc/machine-id", 1000).value_or("")), guest.identity.machine_id);
  }
}

int in_child(const std::vector<std::pair<std::string, std::string>>& environment,
             const std::function<Result<void>()>& body) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    for (const auto& [name, value] : environment) {
      ::setenv(name.c_str(), value.c_str(), 1);
    }
    const auto result = body();
    if (!result && ::getenv("DOMSMITH_FAIL") == nullptr) {
      (void)write_all(2, error_text(result.error()));
    }
    ::_exit(result ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

std::vector<std::string> passed_points(const std::function<Result<void>()>& body) {
  const auto dir = *TemporaryDirectory::make();
  const fs::path trace = dir.path() / "trace";
  EXPECT_EQ(in_child({{"DOMSMITH_FAIL_TRACE", trace.string()}}, body), 0);
  std::vector<std::string> points;
  std::map<std::string, int> passes;
  for (const std::string& line : split_lines(read_file(trace).value_or(""))) {
    points.push_back(fmt::format("{}:{}", line, ++passes[line]));
  }
  return points;
}

}  // namespace domsmith
