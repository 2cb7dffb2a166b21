// domsmith host install|inventory|guests-up|guests-down
#include "hypervisor/host/host_commands.h"

#include <fmt/format.h>
#include <sys/klog.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/crypto.h"
#include "base/error_text.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/process.h"
#include "base/text.h"
#include "hypervisor/host/guests.h"
#include "hypervisor/installer/dialogue.h"
#include "hypervisor/installer/http.h"
#include "hypervisor/installer/install.h"
#include "hypervisor/installer/install_screen.h"
#include "hypervisor/installer/live_inventory.h"
#include "hypervisor/installer/machine.h"
#include "provision/cli/command.h"
#include "provision/cli/verb.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

struct InstallOptions {
  std::string medium = "/media";
  std::string answer;
  bool ask = false;
  bool stay = false;
};

constexpr const char* fetched_answer = "/run/domsmith-install/answer.toml";
constexpr std::uint64_t answer_limit = 1U << 20;

// What the kernel's command line says of the answer: "partition", a URL, or nothing. The last one counts, as with the
// kernel's own words: a person adds theirs to the line of a menu entry.
Result<std::string> answer_word() {
  constexpr std::string_view name = "domsmith.answer=";
  const std::string words = TRY(read_file("/proc/cmdline"));
  const auto at = words.rfind(name);
  if (at == std::string::npos) {
    return std::string();
  }
  const std::string rest = words.substr(at + name.size());
  return rest.substr(0, rest.find_first_of(" \n"));
}

// domsmith.answer=partition: the file system labelled DOMSMITH.
Result<std::string> answer_of_partition() {
  const fs::path where = "/run/domsmith-install/answer";
  TRY(make_directories(where));
  TRY_AS(
      run_command({.argv = {"mount", "-o", "ro,nodev,nosuid,noexec", "LABEL=DOMSMITH", where.string()}, .input = {}}),
      "no file system is labelled DOMSMITH");
  return (where / "answer.toml").string();
}

Result<Answer> find_answer(const InstallOptions& options) {
  if (!options.answer.empty()) {
    return load_answer(options.answer);
  }
  const std::string word = TRY(answer_word());
  if (word == "partition") {
    return load_answer(TRY(answer_of_partition()));
  }
  if (!word.empty()) {
    TRY(write_file_atomic(fetched_answer, TRY_AS(http_get(word, answer_limit), "cannot fetch the answer file")));
    return load_answer(fetched_answer);
  }
  const fs::path carried = fs::path(options.medium) / "domsmith/answer.toml";
  std::error_code ignored;
  if (!fs::exists(carried, ignored)) {
    return fail(ErrorCode::not_found, "this medium carries no answer file",
                "name one: domsmith host install --answer FILE, or put answer.toml on a file system labelled DOMSMITH");
  }
  return load_answer(carried);
}

Result<void> restart(AnswerFinish finish) {
  return end_machine(finish == AnswerFinish::poweroff ? "poweroff" : "reboot", Ending::at_once);
}

Result<InstallRequest> request_for(const Answer& answer, const Inventory& inventory) {
  InstallRequest request{.answer = answer, .plan = TRY(plan_install(answer, inventory)), .cards = {}};
  for (const InventoryCard& card : inventory.cards) {
    request.cards.push_back(card.mac);
  }
  return request;
}

Result<void> install_as(CliContext& cli, const InstallOptions& options, const Answer& answer, Report& report) {
  const InstallRequest request = TRY(request_for(answer, TRY(live_inventory())));
  if (cli.plan_only()) {
    return cli.output().answer(install_plan_json(request.plan), install_plan_text(request.plan));
  }
  const InstallSources sources{.medium = options.medium};
  const nlohmann::json receipt = TRY(install(request, sources, system_random(), report, cli.progress()));
  report.end(receipt);
  TRY(cli.output().answer(receipt, install_plan_text(request.plan) + "installed\n"));
  return options.stay ? Result<void>() : restart(answer.finish);
}

// One console at a time: the screen and the serial port of a machine may both show the dialogue.
Result<FileLock> only_installer() {
  const fs::path folder = "/run/domsmith-install";
  TRY(make_directories(folder));
  return FileLock::try_acquire(folder / "lock");
}

Result<void> install_by_dialogue(CliContext& cli, const InstallOptions& options) {
  if (cli.plan_only()) {
    return fail(ErrorCode::bad_input, "--ask has no --plan: its last page shows the plan before anything is written");
  }
  constexpr int console_level = 8;       // syslog(2): what the kernel prints on the console
  ::klogctl(console_level, nullptr, 1);  // it would write over the screens
  Terminal terminal = TRY(Terminal::take(STDIN_FILENO));
  const Inventory inventory = TRY(live_inventory());
  const auto answer = TRY(ask_answer(terminal, inventory));
  if (!answer) {
    return fail(ErrorCode::interrupted, "nothing is installed", "to be asked again: domsmith host install --ask");
  }
  const auto lock = TRY_AS(only_installer(), "another console installs this machine");
  const InstallSources sources{.medium = options.medium};
  InstallScreen screen(terminal, install_steps());
  Report report(answer->report, answer->host.name, screen);
  const auto done = install(TRY(request_for(*answer, inventory)), sources, system_random(), report, screen);
  if (!done) {
    TRY(show_message(terminal, "the installation failed", split_lines(error_text(done.error())), "Any key: a shell"));
    return std::unexpected(done.error());
  }
  TRY(show_message(
      terminal, "installed",
      {"The hypervisor is installed. Take the medium out of the machine.", "", "Then: ssh root@" + answer->host.name},
      "Any key: restart"));
  return options.stay ? Result<void>() : restart(answer->finish);
}

Result<void> install_verb(CliContext& cli, const InstallOptions& options) {
  if (options.ask) {
    return install_by_dialogue(cli, options);
  }
  const Answer answer = TRY(find_answer(options));
  Report report(cli.plan_only() ? "" : answer.report, answer.host.name, cli.progress());
  report.start();
  const auto done = install_as(cli, options, answer, report);
  if (!done) {
    report.failure(done.error());
  }
  return done;
}

Result<void> inventory_verb(CliContext& cli) {
  const Inventory inventory = TRY(live_inventory());
  const nlohmann::json document = inventory_json(inventory);
  return cli.output().answer(document, json_text(document));
}

void add_install(CliContext& cli, Verb host) {
  auto options = std::make_shared<InstallOptions>();
  Verb install = cli.verb(
      host, "install", "install this machine from the medium it runs",
      [&cli, options] { return install_verb(cli, *options); }, VerbKind::changes);
  install.add_option("--answer", options->answer, "an answer file; default: the medium's");
  install.add_flag("--ask", options->ask, "ask at this terminal instead");
  install.add_option("--medium", options->medium, "where the medium is mounted");
  install.add_flag("--stay", options->stay, "neither restart nor power off at the end");
}

}  // namespace

void add_host_commands(CliContext& cli) {
  Verb host = cli.noun("host", "the hypervisor itself");
  add_install(cli, host);
  cli.verb(host, "inventory", "what this machine has, for: domsmith iso plan", [&cli] { return inventory_verb(cli); });
  add_slot_commands(cli, host);
  const auto places = [&cli] { return HostPlaces{.program = cli.program()}; };
  cli.verb(host, "guests-up", "start the guests that start with the host",
           [&cli, places] { return start_host_guests(places(), cli.progress()); })
      .hide();
  cli.verb(host, "guests-down", "stop all guests, before the host goes down",
           [&cli, places] { return stop_host_guests(places(), cli.progress()); })
      .hide();
}

}  // namespace domsmith
