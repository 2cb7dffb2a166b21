// How a verb is written: each noun has a file NOUN_commands.cc with `void add_NOUN_commands(CliContext&)`, which
// declares its verbs (verb.h) and hands each a function to run.
//
//     struct ShowOptions { std::string name; };
//     Result<void> show(CliContext& cli, const ShowOptions& options);
//
//     void add_image_commands(CliContext& cli) {
//       Verb image = cli.noun("image", "golden images");
//       auto options = std::make_shared<ShowOptions>();
//       Verb verb = cli.verb(image, "show", "what an image holds and costs",
//                                 [&cli, options] { return show(cli, *options); });
//       verb.add_option("NAME", options->name, "the image").required();
//     }
//
// The frame has the options that every verb takes, before or after it: --root, --store, --config, --json, --progress,
// --verbose, --no-color; and --plan for verbs that change something.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "lvm-snapshots/store.h"
#include "provision/cli/output.h"
#include "provision/cli/paths.h"
#include "provision/cli/progress_display.h"
#include "provision/cli/settings.h"
#include "provision/cli/verb.h"

namespace domsmith {

struct GlobalOptions {
  std::string root;    // --root, DOMSMITH_ROOT
  std::string store;   // --store
  std::string config;  // --config
  bool json = false;
  bool no_colour = false;
  bool plan = false;     // --plan
  unsigned verbose = 0;  // times -v was given
  ProgressMode progress = ProgressMode::automatic;
};

enum class VerbKind {
  reads,    // changes nothing
  changes,  // takes --plan, and what a crash left is recovered before it runs (set_recovery)
};

class CliContext {
 public:
  using Action = std::function<Result<void>()>;
  CliContext(std::filesystem::path program, Output output);  // the path of the running program
  CliContext(const CliContext&) = delete;
  CliContext& operator=(const CliContext&) = delete;
  ~CliContext();

  // --- declaring verbs
  Verb top() { return Verb(*app_); }
  Verb noun(const std::string& name, const std::string& what);
  Verb verb(Verb parent, const std::string& name, const std::string& what, Action action,
            VerbKind kind = VerbKind::reads);
  // Runs before the action of each verb that changes something, unless only its plan is asked for.
  void set_recovery(Action recovery) { recovery_ = std::move(recovery); }

  // --- inside an action
  [[nodiscard]] const GlobalOptions& options() const { return options_; }
  [[nodiscard]] bool plan_only() const { return options_.plan; }
  [[nodiscard]] const std::filesystem::path& program() const { return program_; }
  [[nodiscard]] const Paths& paths() const { return paths_; }
  Result<Settings> settings();
  // --store, or the setting; bad_input with a remedy where there is neither.
  Result<std::string> store_spec();
  Result<std::unique_ptr<VolumeStore>> open_store();
  Output& output() { return output_; }
  Progress& progress();
  // For a verb whose answer is given and yet not all is well (doctor): the status to exit with.
  void set_exit_status(int status) { exit_status_ = status; }

  // --- the frame's own (app.cc)
  // Parses argv, runs what it says, shows its error; the exit status.
  int run(int argc, const char* const* argv);

 private:
  void add_global_options();
  Result<bool> parse(int argc, const char* const* argv);  // false: help or the version has been shown
  Result<void> prepare();
  int finish(const Result<void>& result);

  std::filesystem::path program_;
  Output output_;
  std::unique_ptr<CLI::App> app_;
  GlobalOptions options_;
  std::string progress_word_ = "auto";
  Paths paths_;
  std::optional<Settings> settings_;
  std::unique_ptr<Progress> progress_;
  Action recovery_;
  Action chosen_;
  VerbKind chosen_kind_ = VerbKind::reads;
  int exit_status_ = 0;
};

// commands.cc: the verbs of all nouns, and what a crash left recovered before those that change something.
void add_all_commands(CliContext& cli);

void add_recipe_commands(CliContext& cli);
void add_store_commands(CliContext& cli);
void add_template_commands(CliContext& cli);
void add_doctor_command(CliContext& cli);
void add_completion_command(CliContext& cli);

}  // namespace domsmith
