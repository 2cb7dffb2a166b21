// Namespaces (namespaces(7)) in which a tree that somebody else made is unpacked and its programs run.
//
// Root in there is nobody out here: ids are shifted by 2^30, so that no process and no file of the host is in reach,
// whatever a program of the tree does.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "base/result.h"

namespace domsmith::sources {

// Where the tree stands in the namespaces.
constexpr const char* tree_folder = "/tmp/tree";
// A folder for what is needed meanwhile, in memory.
constexpr const char* scratch_folder = "/tmp/scratch";

// Moves this process (which runs one thread) into user and mount namespaces of its own, as root of them. `folder`,
// empty and the caller's, is then tree_folder. Only for root; others get `denied`. Never undone: call it in a worker.
Result<void> enter_namespaces(const std::filesystem::path& folder);

// The owner that `folder` must have before: root of the namespaces, as the host sees it.
constexpr uid_t outer_root = 1U << 30;

}  // namespace domsmith::sources
