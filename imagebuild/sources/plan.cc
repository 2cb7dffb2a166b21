#include "imagebuild/sources/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/passwords.h"
#include "imagebuild/packages/customize.h"
#include "imagebuild/sources/managers.h"

namespace domsmith::sources {
namespace {

using Kind = RecipeSource::Kind;

std::string_view kind_word(Kind kind) {
  static constexpr std::array<std::string_view, 6> words{"", "tar", "OCI image", "disk image", "rpm", "pacman"};
  return words.at(static_cast<std::size_t>(kind));
}

// skopeo(1) fetches by the host's own policy of signatures (containers-policy.json(5)).
Command fetch_image(const RecipeSource& source, const std::string& architecture) {
  return {.argv = {"/usr/bin/skopeo", "copy", "--override-os", "linux", "--override-arch", architecture,
                   source.location, "oci:WORK/oci:image"},
          .environment = {},
          .working_directory = {}};
}

}  // namespace

Result<SourcePlan> plan_source(const Recipe& recipe) {
  SourcePlan plan;
  plan.source = recipe.source;
  plan.recipe_folder = recipe.file.parent_path();
  plan.architecture = recipe.image.architecture;
  plan.packages = recipe.packages.install;
  plan.steps = packages::customize_steps(recipe);
  plan.network = std::ranges::any_of(recipe.scripts, &RecipeScript::network);
  if (recipe.source.kind == Kind::oci && recipe.source.location.starts_with("docker://")) {
    plan.commands.push_back(fetch_image(recipe.source, plan.architecture));
  }
  if (recipe.source.kind == Kind::rpm || recipe.source.kind == Kind::pacman) {
    plan.commands = plan_manager(recipe.source, plan.packages, plan.architecture).commands;
  }
  return plan;
}

std::string plan_text(const SourcePlan& plan) {
  std::string text = fmt::format("tree from {} {}{}\n", kind_word(plan.source.kind), plan.source.location,
                                 plan.source.format.empty() ? "" : " (" + plan.source.format + ")");
  if (!plan.source.sha256.empty()) {
    text += fmt::format("  its SHA-256 must be {}\n", plan.source.sha256);
  }
  for (const Command& command : plan.commands) {
    text += fmt::format("  run: {}\n", hide_passwords(command.display()));
  }
  text += fmt::format("  steps inside the tree, {}:\n", plan.network ? "with the host's network" : "without network");
  for (const agent::Step& step : plan.steps) {
    text += packages::step_line(step);
  }
  return text;
}

nlohmann::json plan_json(const SourcePlan& plan) {
  nlohmann::json commands = nlohmann::json::array();
  for (const Command& command : plan.commands) {
    nlohmann::json words = nlohmann::json::array();
    for (const std::string& word : command.argv) {
      words.push_back(hide_passwords(word));
    }
    commands.push_back(std::move(words));
  }
  nlohmann::json steps = nlohmann::json::array();
  for (const agent::Step& step : plan.steps) {
    steps.push_back(packages::step_json(step));
  }
  return {{"kind", kind_word(plan.source.kind)}, {"location", plan.source.location}, {"format", plan.source.format},
          {"sha256", plan.source.sha256},        {"packages", plan.packages},        {"network", plan.network},
          {"commands", std::move(commands)},     {"steps", std::move(steps)}};
}

}  // namespace domsmith::sources
