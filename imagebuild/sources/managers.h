// dnf(8) and pacman(8) of the host, installing into a tree: their configuration is ours alone, nothing of the host's is
// read. They run in the namespaces (namespaces.h), and so do the scripts of the packages.
#pragma once

#include <string>
#include <vector>

#include "base/process.h"
#include "base/result.h"
#include "imagebuild/sources/plan.h"

namespace domsmith::sources {

// The files that a manager is told to read, below scratch_folder, and the commands that install.
struct ManagerRun {
  struct File {
    std::string path, bytes;
  };
  std::vector<File> files;
  std::vector<Command> commands;
};

// dnf, or pacman with gpg before it, as the recipe's source says. Packages have to be signed by one of the recipe's
// keys, unless the recipe says `unsigned = true`.
ManagerRun plan_manager(const RecipeSource& source, const std::vector<std::string>& packages,
                        const std::string& architecture);

// To be called in the namespaces.
Result<void> install_packages(const SourcePlan& plan);

}  // namespace domsmith::sources
