// The process that makes an image's tree: unpacks what a system begins with, has dpkg install the rest group by group,
// runs the recipe's steps, and gives the finished tree away through its stdout (tree/wire.h). It runs as the first
// process of its namespaces (inside.h). What it says on stderr is for packages/run_log.h: "I: …" begins a stage, "E: …"
// is why it failed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "imagebuild/boot/agent/steps.h"
#include "imagebuild/engine/install_order.h"

namespace domsmith::engine {

struct WorkStep {
  std::string key;   // of its layer
  std::string what;  // for people
  // The base: its packages. A group: nothing here.
  std::vector<Package> essential, required;
  std::vector<std::vector<Package>> batches;  // a group's
};

struct Work {
  bool user = false;               // in a user namespace
  std::filesystem::path archives;  // of the package files
  std::filesystem::path folder;    // the operation's own, empty, on the file system of `layers`
  std::filesystem::path layers;    // the cache; empty: one plain tree, and nothing is kept
  std::size_t cached = 0;          // steps, from the first, that are in the cache
  std::vector<WorkStep> steps;     // the base, then the groups
  std::string architectures;       // dpkg's own and foreign ones, a line each
  std::string sources_list;
  std::string extended_states;  // which packages came along with others (apt-mark(8))
  std::int64_t epoch = 0;       // no file is younger
  std::vector<agent::Step> setup, essential_steps, customize;
};

// The exit status of the process.
int make_tree(const Work& work);

}  // namespace domsmith::engine
