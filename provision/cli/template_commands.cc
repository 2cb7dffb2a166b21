// domsmith template list|show|check
#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "provision/cli/command.h"
#include "provision/domain/template.h"

namespace domsmith {
namespace {

nlohmann::json template_json(const DomainTemplate& from) {
  return {{"name", from.name},
          {"type", from.type == DomainType::pv ? "pv" : "pvh"},
          {"memory", from.memory},
          {"maxmem", from.maxmem},
          {"vcpus", from.vcpus},
          {"tsc_mode", tsc_word(from.tsc)},
          {"description", from.description},
          {"vifs", from.vifs.size()},
          {"file", from.file.string()}};
}

Result<void> list(CliContext& cli) {
  Table table({{.title = "NAME"},
               {.title = "TYPE"},
               {.title = "MEMORY", .align = Align::right},
               {.title = "VCPUS", .align = Align::right},
               {.title = "DESCRIPTION", .may_shrink = true}});
  nlohmann::json document{{"templates", nlohmann::json::array()}};
  for (const DomainTemplate& each : TRY(load_templates(TRY(cli.settings()).templates))) {
    table.row({each.name, each.type == DomainType::pv ? "PV" : "PVH", size_text(each.memory),
               std::to_string(each.vcpus), each.description});
    document["templates"].push_back(template_json(each));
  }
  return cli.output().answer(document, table, "there are no templates");
}

Result<void> show(CliContext& cli, const std::string& name) {
  const DomainTemplate found = TRY(load_template(TRY(cli.settings()).templates, name));
  return cli.output().answer(template_json(found), TRY(read_file(found.file, 1U << 20)));
}

// "web" is a template's name, "./web.toml" a file.
Result<DomainTemplate> checked(const Settings& settings, const std::string& word) {
  if (word.contains('/') || word.ends_with(".toml")) {
    return check_template(word);
  }
  return load_template(settings.templates, word);
}

Result<void> check(CliContext& cli, const std::vector<std::string>& words) {
  const Settings settings = TRY(cli.settings());
  std::vector<DomainTemplate> fine;
  if (words.empty()) {
    fine = TRY(load_templates(settings.templates));
  }
  for (const std::string& word : words) {
    fine.push_back(TRY(checked(settings, word)));
  }
  nlohmann::json document{{"templates", nlohmann::json::array()}};
  std::string text;
  for (const DomainTemplate& each : fine) {
    document["templates"].push_back(template_json(each));
    text += fmt::format("{}: fine\n", each.file.string());
  }
  return cli.output().answer(document, text.empty() ? "there are no templates\n" : text);
}

}  // namespace

void add_template_commands(CliContext& cli) {
  Verb noun = cli.noun("template", "how large a guest is and how it is connected: list, show, check");
  cli.verb(noun, "list", "the templates there are", [&cli] { return list(cli); });
  auto name = std::make_shared<std::string>();
  cli.verb(noun, "show", "print a template", [&cli, name] { return show(cli, *name); })
      .add_option("NAME", *name, "the template")
      .required();
  auto words = std::make_shared<std::vector<std::string>>();
  cli.verb(noun, "check", "tell every error of templates", [&cli, words] { return check(cli, *words); })
      .add_option("TEMPLATE", *words, "names or files; without one, all in the templates' folder");
}

}  // namespace domsmith
