// domsmith iso build|slot|verify
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "iso/build_iso.h"
#include "iso/iso_commands.h"
#include "provision/cli/site.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

struct IsoOptions {
  std::string answer;
  std::vector<std::string> recipes;
  std::string output;
  std::string iso;  // verify
};

// Beside the answer file, else one of the shipped.
fs::path recipe_of_answer(const std::string& word, const fs::path& answer, const Settings& settings) {
  std::error_code ignored;
  for (const fs::path& beside : {answer.parent_path() / word, answer.parent_path() / (word + ".toml")}) {
    if (fs::is_regular_file(beside, ignored)) {
      return beside;
    }
  }
  return settings.recipes / (word + ".toml");
}

Result<IsoInputs> inputs_of(CliContext& cli, const IsoOptions& options) {
  const Settings settings = TRY(cli.settings());
  IsoInputs inputs{.data = data_folder(cli.program()),
                   .program = cli.program(),
                   .answer = options.answer,
                   .recipes = {},
                   .anew = false};
  if (!options.answer.empty()) {
    for (const std::string& word : TRY(load_answer(options.answer)).recipes) {
      inputs.recipes.push_back(recipe_of_answer(word, options.answer, settings));
    }
  }
  for (const std::string& word : options.recipes) {
    inputs.recipes.push_back(TRY(recipe_path(settings, word)));
  }
  return inputs;
}

// Images for media are kept in a store of their own, so that the next medium is made of what is there.
Result<std::unique_ptr<VolumeStore>> media_store(CliContext& cli) {
  const fs::path folder = cli.paths().state() / "media";
  TRY(make_directories(folder));
  return open_store("dir:" + folder.string());
}

nlohmann::json slot_json(const SlotFacts& slot) {
  return {{"sha256", slot.sha256},         {"size", slot.size},       {"unpacked", slot.unpacked},
          {"kernel", slot.kernel_version}, {"xen", slot.xen_version}, {"packages", slot.packages}};
}

std::string slot_text(const SlotFacts& slot) {
  return fmt::format("slot      {} ({} unpacked), {} packages, Xen {}, Linux {}\n", size_text(slot.size),
                     size_text(slot.unpacked), slot.packages.size(), slot.xen_version, slot.kernel_version);
}

Result<void> plan_build(CliContext& cli, const IsoInputs& inputs, const std::string& output) {
  std::string text = fmt::format(
      "build {}\npack it into a slot, by {} and {}\n", (inputs.data / "hypervisor/host.toml").string(),
      (inputs.data / "hypervisor/left-out.txt").string(), (inputs.data / "hypervisor/modules.txt").string());
  nlohmann::json recipes = nlohmann::json::array();
  for (const fs::path& recipe : inputs.recipes) {
    text += fmt::format("build {} and carry it\n", recipe.string());
    recipes.push_back(recipe.string());
  }
  text += inputs.answer.empty() ? std::string() : fmt::format("carry the answer file {}\n", inputs.answer.string());
  text += fmt::format("write {}\n", output);
  return cli.output().answer(
      {{"verb", "iso build"}, {"recipes", recipes}, {"answer", inputs.answer.string()}, {"output", output}}, text);
}

Result<void> build_verb(CliContext& cli, const IsoOptions& options) {
  const IsoInputs inputs = TRY(inputs_of(cli, options));
  if (cli.plan_only()) {
    return plan_build(cli, inputs, options.output);
  }
  Site site = TRY(Site::open(cli));
  const auto store = TRY(media_store(cli));
  const IsoFacts facts = TRY(build_iso(site.place(), *store, inputs, fs::absolute(options.output), cli.progress()));
  return cli.output().answer(
      {{"iso", options.output},
       {"sha256", facts.sha256},
       {"size", facts.size},
       {"slot", slot_json(facts.slot)},
       {"images", facts.images}},
      fmt::format("medium    {}, {}\n{}images    {}\nsha256    {}\n", options.output, size_text(facts.size),
                  slot_text(facts.slot), facts.images.empty() ? "none" : join(facts.images, " "), facts.sha256));
}

Result<void> slot_verb(CliContext& cli, const IsoOptions& options) {
  const IsoInputs inputs = TRY(inputs_of(cli, options));
  Site site = TRY(Site::open(cli));
  const auto store = TRY(media_store(cli));
  const SlotFacts facts = TRY(build_slot(site.place(), *store, inputs, fs::absolute(options.output), cli.progress()));
  return cli.output().answer(slot_json(facts), slot_text(facts) + "sha256    " + facts.sha256 + "\n");
}

Result<void> verify_verb(CliContext& cli, const IsoOptions& options) {
  IsoInputs inputs = TRY(inputs_of(cli, options));
  inputs.anew = true;
  Site site = TRY(Site::open(cli));
  const auto store = TRY(media_store(cli));
  const TemporaryDirectory work = TRY(TemporaryDirectory::make());
  const fs::path again = work.path() / "again.iso";
  TRY(build_iso(site.place(), *store, inputs, again, cli.progress()));
  const Finished compared = TRY(run(
      {.argv = {TRY(find_program("cmp")), again.string(), options.iso}, .environment = {}, .working_directory = {}}));
  if (compared.status.code > 1) {
    return fail(ErrorCode::failed, fmt::format("cannot compare {}: {}", options.iso, trimmed(compared.err_tail)));
  }
  const bool same = compared.status.success();
  cli.set_exit_status(same ? 0 : 1);
  return cli.output().answer(
      {{"iso", options.iso}, {"same", same}},
      same ? fmt::format("{}: built again, the same bytes\n", options.iso)
           : fmt::format("{}: built again, other bytes: {}\n", options.iso, trimmed(compared.out)));
}

void add_inputs(Verb& verb, IsoOptions& options) {
  verb.add_option("--answer", options.answer, "an answer file: the medium installs by itself");
  verb.add_option("--recipe", options.recipes, "a golden image to carry; may stand several times");
}

}  // namespace

void add_iso_build_commands(CliContext& cli, Verb iso) {
  auto options = std::make_shared<IsoOptions>();
  Verb build = cli.verb(
      iso, "build", "make a medium that installs the hypervisor", [&cli, options] { return build_verb(cli, *options); },
      VerbKind::changes);
  add_inputs(build, *options);
  build.add_option("--output,-o", options->output, "the ISO to write").required();
  Verb slot =
      cli.verb(iso, "slot", "make the slot alone, for upgrades", [&cli, options] { return slot_verb(cli, *options); });
  slot.add_option("--output,-o", options->output, "the file to write").required();
  Verb verify = cli.verb(iso, "verify", "make a medium again and compare the bytes",
                         [&cli, options] { return verify_verb(cli, *options); });
  add_inputs(verify, *options);
  verify.add_option("ISO", options->iso, "the ISO, made of the same inputs").required();
}

}  // namespace domsmith
