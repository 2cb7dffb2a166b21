// Parts of recipes for tests, as the parser would give them.
#pragma once

#include <string>
#include <utility>

#include "imagebuild/recipe/recipe.h"

namespace domsmith::packages {

inline Recipe small_recipe() {
  Recipe recipe;
  recipe.image.name = "web";
  recipe.image.architecture = "amd64";
  recipe.distribution.release = "bookworm";
  recipe.packages.install = {"nginx-light", "curl"};
  recipe.system.hostname = "web";
  recipe.boot.kernel = "linux-image-amd64";
  return recipe;
}

inline RecipeUser make_user(std::string name) {
  RecipeUser user;
  user.home = name == "root" ? "/root" : "/home/" + name;
  user.name = std::move(name);
  return user;
}

inline RecipeFile make_file(std::string path, std::string bytes) {
  RecipeFile file;
  file.path = std::move(path);
  file.bytes = std::move(bytes);
  return file;
}

inline RecipeScript make_script(RecipeScript::Phase phase, std::string name) {
  RecipeScript script;
  script.phase = phase;
  script.bytes = "#!/bin/sh\n";
  script.name = std::move(name);
  return script;
}

}  // namespace domsmith::packages
