#include "imagebuild/engine/engine.h"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/crypto.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/archive/deb.h"
#include "imagebuild/boot/agent/embedded.h"
#include "imagebuild/engine/apt_root.h"
#include "imagebuild/engine/inside.h"
#include "imagebuild/engine/layers.h"
#include "imagebuild/engine/worker.h"
#include "imagebuild/packages/repositories.h"

namespace domsmith::engine {
namespace {

// Raised when the engine makes something else of the same packages: old layers are not used any more.
constexpr int engine_version = 1;

std::string lines_of_sources(const packages::PackagePlan& plan) {
  std::string text;
  for (const packages::AptSource& source : plan.sources) {
    text += source.line() + "\n";
  }
  return text;
}

std::filesystem::path apt_folder(const packages::PackagePlan& plan, const EngineOptions& options) {
  std::string what = lines_of_sources(plan) + join(plan.architectures, ",");
  for (const packages::AptFile& file : packages::apt_files(plan.repositories, {}, packages::image_apt_folder)) {
    what += fmt::format("\n{}\n{}", file.path, file.bytes);
  }
  return options.cache / "apt" / sha256_hex(what).substr(0, 16);
}

// The control files; on the way each package's SHA-256 is compared.
Result<std::vector<PackageFacts>> read_facts(const std::filesystem::path& archives, const PackageSet& set) {
  std::vector<PackageFacts> facts(set.packages.size());
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> error;
  const auto read_one = [&](std::size_t i) -> Result<void> {
    const Package& package = set.packages[i];
    const DebFile file = TRY(DebFile::open(archives / package.file(), package.sha256));
    facts[i] = {.package = package, .control = TRY(file.control()).at("control").bytes};
    return {};
  };
  const auto work = [&] {
    for (std::size_t i = next++; i < facts.size(); i = next++) {
      if (auto done = read_one(i); !done) {
        const std::scoped_lock lock(mutex);
        error = error ? std::move(error) : std::move(done).error();
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) {
      helpers.emplace_back(work);
    }
    work();
  }
  return error ? Result<std::vector<PackageFacts>>(std::unexpected(std::move(*error))) : std::move(facts);
}

std::vector<agent::Step> steps_of(const packages::PackagePlan& plan, std::string_view hook) {
  for (const packages::HookSteps& steps : plan.hooks) {
    if (steps.hook == hook) {
      return steps.steps;
    }
  }
  return {};
}

// apt's /var/lib/apt/extended_states: what it may remove again when nobody needs it any more.
std::string extended_states(const PackageSet& set) {
  std::string text;
  for (const Package& package : set.packages) {
    if (package.role == Role::dependency) {
      text += fmt::format("Package: {}\nArchitecture: {}\nAuto-Installed: 1\n\n", package.name,
                          package.architecture == "all" ? set.architecture : package.architecture);
    }
  }
  return text;
}

WorkStep base_step(const std::vector<PackageFacts>& facts, const InstallOrder& order) {
  WorkStep base;
  base.what = "the base system";
  for (const std::size_t i : order.base) {
    const Package& package = facts[i].package;
    auto& into = package.role == Role::essential ? base.essential : base.required;
    // What makes the folders that others only fill comes first.
    into.insert(package.name == "base-files" ? into.begin() : into.end(), package);
  }
  return base;
}

nlohmann::json names_and_hashes(const std::vector<Package>& packages) {
  nlohmann::json json = nlohmann::json::array();
  for (const Package& package : packages) {
    json.push_back({package.name, package.version, package.architecture, package.sha256});
  }
  return json;
}

// Each key holds the key below it: a layer is what it is because of all the layers under it.
void set_keys(Work& work, const packages::PackagePlan& plan) {
  nlohmann::json base{{"engine", engine_version},
                      {"architectures", work.architectures},
                      {"epoch", work.epoch},
                      {"user", work.user},
                      {"sources", work.sources_list},
                      {"agent", sha256_hex(agent::agent_program())},
                      {"setup", sha256_hex(agent::encode_steps(work.setup))},
                      {"essential", sha256_hex(agent::encode_steps(work.essential_steps))}};
  std::string below;
  for (std::size_t i = 0; i < work.steps.size(); ++i) {
    WorkStep& step = work.steps[i];
    nlohmann::json json{{"below", below}, {"what", step.what}, {"packages", nlohmann::json::array()}};
    if (i == 0) {
      json["base"] = base;
      json["packages"] = {names_and_hashes(step.essential), names_and_hashes(step.required)};
    }
    for (const std::vector<Package>& batch : step.batches) {
      json["packages"].push_back(names_and_hashes(batch));
    }
    below = sha256_hex(json_line(json));
    step.key = below;
    step.what = fmt::format("{} of {} ({})", step.what, plan.suite, plan.architecture);
  }
}

Work make_work(const packages::PackagePlan& plan, const PackageSet& set, const std::vector<PackageFacts>& facts) {
  Work work;
  work.user = plan.mode == packages::PackagePlan::Mode::unshare;
  work.architectures = join(plan.architectures, "\n") + "\n";
  work.sources_list = lines_of_sources(plan);
  work.extended_states = extended_states(set);
  work.epoch = set.epoch;
  work.setup = steps_of(plan, "extract");
  work.essential_steps = steps_of(plan, "essential");
  work.customize = steps_of(plan, "customize");
  const InstallOrder order = order_installation(facts, plan.packages, plan.recommends, !work.essential_steps.empty());
  work.steps.push_back(base_step(facts, order));
  for (const InstallGroup& group : order.groups) {
    WorkStep step;
    step.what = group.name;
    for (const Batch& batch : group.batches) {
      auto& packages = step.batches.emplace_back();
      for (const std::size_t i : batch) {
        packages.push_back(facts[i].package);
      }
    }
    work.steps.push_back(std::move(step));
  }
  set_keys(work, plan);
  return work;
}

// How many steps, from the first, the cache has.
std::size_t count_cached(const Work& work) {
  const LayerCache cache(work.layers);
  std::size_t count = 0;
  while (count < work.steps.size() && cache.use(work.steps[count].key)) {
    ++count;
  }
  return count;
}

}  // namespace

Result<PackageSet> choose_packages(const packages::PackagePlan& plan, const EngineOptions& options,
                                   Progress& progress) {
  AptRoot apt = TRY(AptRoot::open(apt_folder(plan, options), plan));
  TRY(apt.update(options.lists_age, progress));
  PackageSet set = TRY(apt.choose(progress));
  // reproducible-builds.org/specs/source-date-epoch
  if (const char* given = std::getenv("SOURCE_DATE_EPOCH"); given != nullptr) {
    const std::string_view text = given;
    std::int64_t epoch = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), epoch);
    if (code != std::errc() || end != text.data() + text.size() || epoch < 0) {
      return fail(ErrorCode::bad_input, fmt::format("SOURCE_DATE_EPOCH is '{}', which is no number of seconds", text),
                  "unset it, or set it to seconds since 1970");
    }
    set.epoch = epoch;
  }
  return set;
}

Result<TreeBuild> TreeBuild::start(const packages::PackagePlan& plan, const PackageSet& set,
                                   const EngineOptions& options, const std::filesystem::path& folder,
                                   Progress& progress) {
  std::filesystem::path archives;
  {
    AptRoot apt = TRY(AptRoot::open(apt_folder(plan, options), plan));
    TRY(apt.fetch(set.packages, progress));
    archives = apt.archives();
  }
  Work work = make_work(plan, set, TRY(read_facts(archives, set)));
  work.archives = archives;
  work.folder = std::filesystem::absolute(folder);
  TRY(make_directories(work.folder, 0700));
  if (options.layers) {
    work.layers = std::filesystem::absolute(options.cache / "layers");
    TRY(make_directories(work.layers, 0700));
    work.cached = count_cached(work);
  }
  Child child =
      TRY(Child::call([&](int peer) { return run_in_namespaces(work.user, peer, [&] { return make_tree(work); }); },
                      [&](pid_t pid, int peer) { return map_user_ids(pid, peer, work.user); }));
  return TreeBuild(packages::PackageRun::listen(std::move(child), plan.suite, progress));
}

Result<void> TreeBuild::finish() { return run_.finish(); }

}  // namespace domsmith::engine
