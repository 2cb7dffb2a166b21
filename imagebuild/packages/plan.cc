#include "imagebuild/packages/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/passwords.h"
#include "base/text.h"
#include "imagebuild/packages/customize.h"
#include "imagebuild/packages/distributions.h"
#include "imagebuild/packages/repositories.h"

namespace domsmith::packages {
namespace {

// What the image needs beside what the recipe names: a kernel's image needs an init to start, settings need their data.
std::vector<std::string> wanted_packages(const Recipe& recipe) {
  // The large ones first: a name that is added behind them leaves their layers as they are (engine/install_order.h).
  std::vector<std::string> names;
  if (recipe.boot.kernel != "none") {
    names.push_back(recipe.boot.kernel);
    names.emplace_back("init");
  }
  names.emplace_back("tzdata");
  const std::string& locale = recipe.system.locale;
  if (!locale.starts_with("C.") && locale != "C" && locale != "POSIX") {
    names.emplace_back("locales");
  }
  names.insert(names.end(), recipe.packages.install.begin(), recipe.packages.install.end());
  const auto& removed = recipe.packages.remove;
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (seen.insert(name).second && std::ranges::find(removed, name) == removed.end()) {
      out.push_back(name);
    }
  }
  return out;
}

std::vector<HookSteps> hook_steps(const Recipe& recipe) {
  std::vector<HookSteps> hooks{
      {"extract", phase_steps(recipe, RecipeScript::Phase::setup)},
      {"essential", phase_steps(recipe, RecipeScript::Phase::essential)},
      {"customize", customize_steps(recipe)},
  };
  std::erase_if(hooks, [](const HookSteps& hook) { return hook.steps.empty(); });
  return hooks;
}

// "amd64", and what "NAME:ARCH" among the packages asks for beside it.
std::vector<std::string> architectures(const PackagePlan& plan) {
  std::vector<std::string> out{plan.architecture};
  for (const std::string& name : plan.packages) {
    const auto colon = name.find(':');
    if (colon != std::string::npos) {
      const std::string wanted = name.substr(colon + 1, name.find_first_of("=/", colon) - colon - 1);
      if (std::ranges::find(out, wanted) == out.end() && wanted != "any" && wanted != "all" && wanted != "native") {
        out.push_back(wanted);
      }
    }
  }
  return out;
}

// Names reach apt, which reads some as patterns or options: only plain ones may pass.
Result<void> check_package_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("+-.:=~/_").contains(c) ||
           (c >= 'A' && c <= 'Z');
  };
  const bool starts_well = !name.empty() && ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= '0' && name[0] <= '9'));
  if (!starts_well || !std::ranges::all_of(name, plain)) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is not the name of a package", name),
                "a name has lower-case letters, digits, '+', '-' and '.', and may be followed by '=VERSION'");
  }
  return {};
}

// A host of another distribution has no sources of this one.
Recipe::Distribution with_mirrors(const Recipe& recipe, const HostFacts& host) {
  Recipe::Distribution wanted = recipe.distribution;
  const bool known =
      std::ranges::any_of(host.sources, [&](const AptSource& source) { return source.suite == wanted.release; });
  if (wanted.mirrors.empty() && !known) {
    wanted.mirrors = own_mirrors(wanted, recipe.image.architecture);
  }
  return wanted;
}

nlohmann::json steps_json(const HookSteps& hook) {
  nlohmann::json steps = nlohmann::json::array();
  for (const agent::Step& step : hook.steps) {
    steps.push_back(step_json(step));
  }
  return {{"hook", hook.hook}, {"steps", std::move(steps)}};
}

std::vector<std::string> without_passwords(std::vector<std::string> words) {
  std::ranges::transform(words, words.begin(), [](const std::string& word) { return hide_passwords(word); });
  return words;
}

}  // namespace

std::string step_line(const agent::Step& step) {
  std::string text = fmt::format("    {}", step.title);
  if (!step.argv.empty()) {
    text += fmt::format(": {}", Command{.argv = step.argv, .environment = {}, .working_directory = {}}.display());
  }
  return text + "\n";
}

nlohmann::json step_json(const agent::Step& step) {
  nlohmann::json item{{"kind", agent::kind_name(step.kind)}, {"title", step.title}};
  if (!step.path.empty()) {
    item["path"] = step.path;
  }
  if (!step.argv.empty()) {
    item["arguments"] = step.argv;
  }
  return item;
}

Result<PackagePlan> plan_packages(const Recipe& recipe, const HostFacts& host) {
  if (recipe.image.architecture != host.architecture) {
    return fail(ErrorCode::unsupported,
                fmt::format("cannot build for {} on a machine of {}", recipe.image.architecture, host.architecture),
                fmt::format("build on a machine of {}", recipe.image.architecture));
  }
  PackagePlan plan;
  plan.mode = host.root ? PackagePlan::Mode::root : PackagePlan::Mode::unshare;
  plan.suite = recipe.distribution.release;
  plan.architecture = recipe.image.architecture;
  plan.sources = TRY(select_sources(with_mirrors(recipe, host), host.sources));
  plan.repositories = recipe.repositories;
  plan.pins = recipe.pins;
  plan.packages = wanted_packages(recipe);
  for (const std::string& name : plan.packages) {
    TRY(check_package_name(name));
  }
  plan.hooks = hook_steps(recipe);
  plan.architectures = architectures(plan);
  plan.recommends = recipe.packages.recommends;
  plan.environment = host.environment;
  return plan;
}

std::string plan_text(const PackagePlan& plan) {
  std::string text = fmt::format("packages of {} ({}), {}\n", plan.suite, plan.architecture,
                                 plan.mode == PackagePlan::Mode::root ? "as root" : "in a user namespace");
  for (const AptSource& source : plan.sources) {
    text += fmt::format("  from {}\n", hide_passwords(source.line()));
  }
  for (const RecipeRepository& repository : plan.repositories) {
    text += fmt::format("  from {}\n", repository_text(repository));
  }
  for (const RecipePin& pin : plan.pins) {
    text += fmt::format("  prefer {}\n", pin_text(pin));
  }
  for (const std::string& variable : plan.environment) {
    text += fmt::format("  with {}\n", hide_passwords(variable));
  }
  text +=
      fmt::format("  install: {}{}\n", join(plan.packages, " "), plan.recommends ? " (and what they recommend)" : "");
  for (const HookSteps& hook : plan.hooks) {
    text += fmt::format("  steps inside the image ({}):\n", hook.hook);
    for (const agent::Step& step : hook.steps) {
      text += step_line(step);
    }
  }
  return text;
}

nlohmann::json plan_json(const PackagePlan& plan) {
  nlohmann::json hooks = nlohmann::json::array();
  for (const HookSteps& hook : plan.hooks) {
    hooks.push_back(steps_json(hook));
  }
  nlohmann::json sources = nlohmann::json::array();
  for (const AptSource& source : plan.sources) {
    sources.push_back(hide_passwords(source.line()));
  }
  nlohmann::json repositories = nlohmann::json::array();
  for (const RecipeRepository& each : plan.repositories) {
    repositories.push_back({{"name", each.name},
                            {"url", hide_passwords(each.url)},
                            {"release", each.release},
                            {"components", each.components},
                            {"key", each.is_unsigned ? nlohmann::json() : nlohmann::json(each.key)}});
  }
  nlohmann::json pins = nlohmann::json::array();
  for (const RecipePin& pin : plan.pins) {
    pins.push_back({{"packages", pin.packages}, {"pin", pin.pin}, {"priority", pin.priority}});
  }
  return {{"mode", plan.mode == PackagePlan::Mode::root ? "root" : "unshare"},
          {"release", plan.suite},
          {"architecture", plan.architecture},
          {"sources", std::move(sources)},
          {"repositories", std::move(repositories)},
          {"pins", std::move(pins)},
          {"packages", plan.packages},
          {"recommends", plan.recommends},
          {"architectures", plan.architectures},
          {"environment", without_passwords(plan.environment)},
          {"hooks", std::move(hooks)}};
}

}  // namespace domsmith::packages
