// How a tree that comes from no apt archive gets into an image, as a value: nothing here touches the machine.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/process.h"
#include "base/result.h"
#include "imagebuild/boot/agent/steps.h"
#include "imagebuild/recipe/recipe.h"

namespace domsmith::sources {

struct SourcePlan {
  RecipeSource source;
  std::filesystem::path recipe_folder;
  std::string architecture;
  std::vector<std::string> packages;  // rpm, pacman
  std::vector<agent::Step> steps;     // inside the tree, behind its unpacking
  bool network = false;               // a step asks for it
  // External programs; words that begin with WORK stand for the operation's own folder.
  std::vector<Command> commands;
};

Result<SourcePlan> plan_source(const Recipe& recipe);

std::string plan_text(const SourcePlan& plan);
nlohmann::json plan_json(const SourcePlan& plan);

}  // namespace domsmith::sources
