// domsmith iso check-answer|answer-schema|plan
#include "iso/iso_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json_text.h"
#include "hypervisor/answer/answer.h"
#include "hypervisor/answer/answer_schema.h"
#include "hypervisor/answer/install_plan.h"
#include "imagebuild/recipe/describe.h"
#include "provision/cli/command.h"

namespace domsmith {
namespace {

constexpr std::uint64_t inventory_limit = 16U << 20;

Result<void> check_answer(CliContext& cli, const std::string& file) {
  const Answer answer = TRY(load_answer(file));
  return cli.output().answer(
      {{"file", file}, {"host", answer.host.name}},
      fmt::format("{}: fine (host '{}', {} disk{}{})\n", file, answer.host.name, answer.storage.disks.size(),
                  answer.storage.disks.size() == 1 ? "" : "s", answer.storage.raid1 ? ", RAID 1" : ""));
}

Result<void> show_schema(CliContext& cli, bool markdown) {
  if (markdown) {
    const std::string text = markdown_reference(answer_schema());
    return cli.output().answer({{"markdown", text}}, text);
  }
  const nlohmann::json document = json_schema(answer_schema());
  return cli.output().answer(document, json_text(document));
}

struct PlanOptions {
  std::string answer;
  std::string inventory;
};

Result<void> plan(CliContext& cli, const PlanOptions& options) {
  const Answer answer = TRY(load_answer(options.answer));
  const std::string text = TRY(read_file(options.inventory, inventory_limit));
  const InstallPlan install = TRY(plan_install(answer, TRY(parse_inventory(text, options.inventory))));
  return cli.output().answer(install_plan_json(install), install_plan_text(install));
}

}  // namespace

void add_iso_commands(CliContext& cli) {
  Verb iso = cli.noun("iso", "media that install the hypervisor, and their answer files");
  auto file = std::make_shared<std::string>();
  cli.verb(iso, "check-answer", "tell every error of an answer file", [&cli, file] { return check_answer(cli, *file); })
      .add_option("ANSWER", *file, "the answer file")
      .required();
  auto markdown = std::make_shared<bool>(false);
  cli.verb(iso, "answer-schema", "print the JSON Schema of answer files, for editors",
           [&cli, markdown] { return show_schema(cli, *markdown); })
      .add_flag("--markdown", *markdown, "the tables of all keys instead, as docs/answer-file.md has them");
  auto options = std::make_shared<PlanOptions>();
  Verb verb = cli.verb(iso, "plan", "print what an installation would erase and make on a machine",
                       [&cli, options] { return plan(cli, *options); });
  verb.add_option("--answer", options->answer, "the answer file").required();
  verb.add_option("--inventory", options->inventory, "what the machine has, as JSON").required();
  add_iso_build_commands(cli, iso);
}

}  // namespace domsmith
