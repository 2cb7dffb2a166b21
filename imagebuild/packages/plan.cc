#include "imagebuild/packages/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/passwords.h"
#include "base/text.h"
#include "imagebuild/packages/customize.h"

namespace domsmith::packages {
namespace {

// Runs the agent that `upload` put into the chroot ($1, mmdebstrap(1), HOOKS). Constant: nothing is ever spliced in.
constexpr std::string_view run_agent =
    R"(chmod 0700 "$1/domsmith-agent" && exec chroot "$1" /domsmith-agent /domsmith-steps)";

// What the image needs beside what the recipe names: a kernel's image needs an init to start, settings need their data.
std::vector<std::string> wanted_packages(const Recipe& recipe) {
  std::vector<std::string> names = recipe.packages.install;
  if (recipe.boot.kernel != "none") {
    names.push_back(recipe.boot.kernel);
    names.emplace_back("init");
  }
  names.emplace_back("tzdata");
  const std::string& locale = recipe.system.locale;
  if (!locale.starts_with("C.") && locale != "C" && locale != "POSIX") {
    names.emplace_back("locales");
  }
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
      {"extract", "extract.steps", phase_steps(recipe, RecipeScript::Phase::setup)},
      {"essential", "essential.steps", phase_steps(recipe, RecipeScript::Phase::essential)},
      {"customize", "customize.steps", customize_steps(recipe)},
  };
  std::erase_if(hooks, [](const HookSteps& hook) { return hook.steps.empty(); });
  return hooks;
}

// "amd64", and what "NAME:ARCH" among the packages asks for beside it.
std::string architectures(const PackagePlan& plan) {
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
  return join(out, ",");
}

bool has_file_mirror(const std::vector<AptSource>& sources) {
  return std::ranges::any_of(sources, [](const AptSource& source) { return source.uri.starts_with("file:"); });
}

std::vector<std::string> arguments(const PackagePlan& plan, const Recipe& recipe, const HostFacts& host) {
  std::vector<std::string> argv{host.mmdebstrap,
                                fmt::format("--mode={}", plan.mode == PackagePlan::Mode::root ? "root" : "unshare"),
                                "--format=tar",
                                "--variant=minbase",
                                "--architectures=" + architectures(plan),
                                "--include=" + join(plan.packages, ",")};
  if (recipe.packages.recommends) {
    argv.emplace_back("--aptopt=Apt::Install-Recommends \"true\"");
  }
  if (has_file_mirror(plan.sources)) {
    argv.emplace_back("--hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount");
  }
  for (const HookSteps& hook : plan.hooks) {
    const std::string option = fmt::format("--{}-hook=", hook.hook);
    argv.push_back(option + "upload agent /domsmith-agent");
    argv.push_back(fmt::format("{}upload {} /domsmith-steps", option, hook.file));
    argv.push_back(option + std::string(run_agent));
  }
  argv.insert(argv.end(), {"--", plan.suite, "-"});
  for (const AptSource& source : plan.sources) {
    argv.push_back(source.line());
  }
  return argv;
}

// Names reach mmdebstrap in lists that it splits at commas and blanks, and apt as patterns: only plain ones may pass.
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

nlohmann::json steps_json(const HookSteps& hook) {
  nlohmann::json steps = nlohmann::json::array();
  for (const agent::Step& step : hook.steps) {
    nlohmann::json item{{"kind", agent::kind_name(step.kind)}, {"title", step.title}};
    if (!step.path.empty()) {
      item["path"] = step.path;
    }
    if (!step.argv.empty()) {
      item["arguments"] = step.argv;
    }
    steps.push_back(std::move(item));
  }
  return {{"hook", hook.hook}, {"steps", std::move(steps)}};
}

std::vector<std::string> without_passwords(std::vector<std::string> words) {
  std::ranges::transform(words, words.begin(), [](const std::string& word) { return hide_passwords(word); });
  return words;
}

std::string step_text(const agent::Step& step) {
  std::string text = fmt::format("    {}", step.title);
  if (!step.argv.empty()) {
    text += fmt::format(": {}", Command{.argv = step.argv, .environment = {}, .working_directory = {}}.display());
  }
  return text + "\n";
}

}  // namespace

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
  plan.sources = TRY(select_sources(recipe.distribution, host.sources));
  plan.packages = wanted_packages(recipe);
  for (const std::string& name : plan.packages) {
    TRY(check_package_name(name));
  }
  plan.hooks = hook_steps(recipe);
  // The image's initramfs is never booted, and making it is most of a kernel package's time:
  // /etc/kernel/postinst.d/initramfs-tools leaves it out where INITRD=No, and no file of the image has to change.
  plan.command.environment = host.environment;
  plan.command.environment.emplace_back("INITRD=No");
  plan.command.argv = arguments(plan, recipe, host);
  return plan;
}

std::string plan_text(const PackagePlan& plan) {
  std::string text = fmt::format("packages of {} ({}), {}\n", plan.suite, plan.architecture,
                                 plan.mode == PackagePlan::Mode::root ? "as root" : "in a user namespace");
  for (const AptSource& source : plan.sources) {
    text += fmt::format("  from {}\n", hide_passwords(source.line()));
  }
  text += fmt::format("  {}\n", plan.command.display());
  for (const HookSteps& hook : plan.hooks) {
    text += fmt::format("  steps inside the image ({} hook):\n", hook.hook);
    for (const agent::Step& step : hook.steps) {
      text += step_text(step);
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
  return {{"mode", plan.mode == PackagePlan::Mode::root ? "root" : "unshare"},
          {"release", plan.suite},
          {"architecture", plan.architecture},
          {"sources", std::move(sources)},
          {"packages", plan.packages},
          {"environment", without_passwords(plan.command.environment)},
          {"command", without_passwords(plan.command.argv)},
          {"hooks", std::move(hooks)}};
}

}  // namespace domsmith::packages
