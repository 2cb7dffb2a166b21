// The part of a recipe that the agent carries out, as lists of steps, by the moment of the build (plan.h) when they
// run.
//
//   phase      runs                                                      moment
//   setup      essential packages are unpacked, none is configured       extract
//   essential  essential packages are configured, no other is there      essential
//   customize  all packages, users and [[file]]s are in place            customize
//   final      services, time zone and locale are set too; the last one  customize
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "imagebuild/boot/agent/steps.h"
#include "imagebuild/recipe/recipe.h"

namespace domsmith::packages {

std::vector<agent::Step> phase_steps(const Recipe& recipe, RecipeScript::Phase phase);
// Host name, users, files, settings, scripts of customize and final, and the cleaning at the end.
std::vector<agent::Step> customize_steps(const Recipe& recipe);

// A step in a plan: an indented line, a JSON object.
std::string step_line(const agent::Step& step);
nlohmann::json step_json(const agent::Step& step);

}  // namespace domsmith::packages
