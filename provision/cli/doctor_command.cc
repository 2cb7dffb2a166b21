// domsmith doctor
#include <fmt/format.h>

#include <algorithm>

#include "provision/cli/command.h"
#include "provision/cli/doctor.h"

namespace domsmith {
namespace {

std::string painted(Check::State state, bool colour) {
  const std::string word = fmt::format("{:<7}", state_word(state));
  if (!colour) {
    return word;
  }
  const char* code = state == Check::State::ok ? "32" : state == Check::State::lacks ? "33" : "31;1";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, word);
}

std::string report(const std::vector<Check>& checks, const TextStyle& style) {
  std::size_t width = 0;
  for (const Check& check : checks) {
    width = std::max(width, check.name.size());
  }
  const std::size_t indent = style.columns >= 60 || style.columns == 0 ? width + 13 : 4;
  std::string text;
  std::string area;
  for (const Check& check : checks) {
    if (check.area != area) {
      area = check.area;
      text += style.colour ? fmt::format("\x1b[1m{}\x1b[0m\n", area) : area + "\n";
    }
    const std::string name = check.name + std::string(width - check.name.size(), ' ');
    const std::string found = folded(printable(check.text), style.columns, indent);
    text += indent == 4 ? fmt::format("  {}  {}\n    {}\n", painted(check.state, style.colour), check.name, found)
                        : fmt::format("  {}  {}  {}\n", painted(check.state, style.colour), name, found);
    if (!check.remedy.empty()) {
      text += std::string(indent, ' ') + folded("-> " + printable(check.remedy), style.columns, indent + 3) + "\n";
    }
  }
  return text;
}

bool all_well(const std::vector<Check>& checks, std::string_view area = {}) {
  return std::ranges::none_of(checks, [&](const Check& check) {
    return check.state == Check::State::missing && (area.empty() || check.area == area);
  });
}

nlohmann::json document_of(const std::vector<Check>& checks) {
  nlohmann::json list = nlohmann::json::array();
  for (const Check& check : checks) {
    nlohmann::json entry{
        {"area", check.area}, {"name", check.name}, {"state", state_word(check.state)}, {"text", check.text}};
    if (!check.remedy.empty()) {
      entry["remedy"] = check.remedy;
    }
    list.push_back(std::move(entry));
  }
  return {{"ok", all_well(checks)}, {"checks", std::move(list)}};
}

Result<void> doctor(CliContext& cli) {
  const Result<Settings> settings = cli.settings();
  const Settings known = settings.value_or(Settings{});
  const std::string store = cli.options().store.empty() ? known.store : cli.options().store;
  const std::filesystem::path file =
      cli.options().config.empty() ? cli.paths().config_file() : std::filesystem::path(cli.options().config);
  std::vector<Check> checks = check_building();
  std::ranges::move(check_store(store), std::back_inserter(checks));
  std::ranges::move(check_guests(known), std::back_inserter(checks));
  std::ranges::move(check_state(settings, file, cli.paths()), std::back_inserter(checks));
  const bool well = all_well(checks);
  std::string text = report(checks, cli.output().style());
  const auto lacks = std::ranges::count(checks, Check::State::lacks, &Check::state);
  const auto missing = std::ranges::count(checks, Check::State::missing, &Check::state);
  text += well && lacks == 0 ? "\nEverything is there.\n"
          : well             ? fmt::format("\nWhat is set up here works; lacking: {}.\n", lacks)
                             : fmt::format("\nMissing: {}.\n", missing);
  cli.set_exit_status(well ? 0 : 1);
  return cli.output().answer(document_of(checks), text);
}

}  // namespace

void add_doctor_command(CliContext& cli) {
  cli.verb(cli.top(), "doctor", "what this host has and lacks, and how to get it", [&cli] { return doctor(cli); });
}

}  // namespace domsmith
