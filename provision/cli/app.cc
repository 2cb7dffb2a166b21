// Parses the command line, runs the verb that it names, tells its error.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <span>

#include "base/error_text.h"
#include "base/log.h"
#include "base/utf8.h"
#include "lvm-snapshots/store_spec.h"
#include "provision/cli/command.h"
#include "provision/cli/default_root.h"
#include "provision/cli/help.h"
#include "provision/cli/usage.h"

namespace domsmith {
namespace {

constexpr const char* kWhat =
    "Builds golden root file systems from TOML recipes, keeps them in thin LVM volumes or in a folder, clones them "
    "with "
    "identities of their own, and runs the clones as Xen guests.";

// Help in a pipe is folded too.
TextStyle help_style(TextStyle style) {
  style.columns = style.columns == 0 ? 80 : style.columns;
  return style;
}

// Whether the word stands on the command line: asked before it is parsed, so that a parse error too is told as wished.
bool mentions(int argc, const char* const* argv, std::string_view word) {
  const std::span words(argv, static_cast<std::size_t>(std::max(argc, 0)));
  const auto end = std::ranges::find_if(words, [](const char* arg) { return std::strcmp(arg, "--") == 0; });
  return std::any_of(words.begin(), end, [&](const char* arg) { return word == arg; });
}

}  // namespace

CliContext::CliContext(std::filesystem::path program, Output output)
    : program_(std::move(program)), output_(output), app_(std::make_unique<CLI::App>(kWhat, "domsmith")) {
  app_->set_help_flag("-h,--help", "this text")->group(kGlobalGroup);
  app_->fallthrough();  // options of the program may stand behind the verb
  app_->allow_extras();
  app_->require_subcommand(0, 1);  // a second word that happens to be a command's name is an argument
  app_->formatter(
      std::make_shared<CLI::FormatterLambda>([this](const CLI::App* app, const std::string&, CLI::AppFormatMode) {
        return help_text(*app, help_style(output_.style()));
      }));
  add_global_options();
}

CliContext::~CliContext() = default;

void CliContext::add_global_options() {
  CLI::App& app = *app_;
  app.add_option(
         "--root", options_.root,
         "keep /etc, /var/lib/domsmith and /etc/xen below DIR (also DOMSMITH_ROOT) [default: /, and for ordinary "
         "users ~/.local/state/domsmith]")
      ->type_name("DIR")
      ->envname("DOMSMITH_ROOT")
      ->group(kGlobalGroup);
  app.add_option("--store", options_.store, "where volumes live: lvm:VG/POOL or dir:PATH")
      ->type_name("STORE")
      ->group(kGlobalGroup);
  app.add_option("--config", options_.config, "settings [default: /etc/domsmith/domsmith.toml]")
      ->type_name("FILE")
      ->group(kGlobalGroup);
  app.add_flag("--json", options_.json, "one JSON document on standard output")->group(kGlobalGroup);
  app.add_option("--progress", progress_word_, "auto, bar, plain, json (lines on standard error) or none")
      ->type_name("HOW")
      ->group(kGlobalGroup);
  app.add_flag("-v,--verbose", options_.verbose, "say what is done; twice: in detail")->group(kGlobalGroup);
  app.add_flag("--no-color", options_.no_colour, "no colours (also NO_COLOR)")->group(kGlobalGroup);
  app.set_version_flag("--version", "domsmith " DOMSMITH_VERSION, "the version")->group(kGlobalGroup);
}

Verb CliContext::noun(const std::string& name, const std::string& what) {
  CLI::App* noun = app_->add_subcommand(name, what)->group("Nouns, each with verbs of its own");
  noun->require_subcommand(0, 1);
  return Verb(*noun);
}

Verb CliContext::verb(Verb parent, const std::string& name, const std::string& what, Action action, VerbKind kind) {
  CLI::App* verb = parent.app().add_subcommand(name, what)->group(&parent.app() == app_.get() ? "Commands" : "Verbs");
  verb->callback([this, action = std::move(action), kind] {
    chosen_ = action;
    chosen_kind_ = kind;
  });
  if (kind == VerbKind::changes) {
    verb->add_flag("--plan", options_.plan, "only print what would be done");
  }
  return Verb(*verb);
}

Result<Settings> CliContext::settings() {
  if (!settings_) {
    const bool named = !options_.config.empty();
    const std::filesystem::path file = named ? std::filesystem::path(options_.config) : paths_.config_file();
    settings_ = TRY(read_settings(file, named, paths_, data_folder(program_)));
  }
  return *settings_;
}

Result<std::string> CliContext::store_spec() {
  std::string spec = options_.store;
  if (spec.empty()) {
    spec = TRY(settings()).store;
  }
  if (spec.empty()) {
    return fail(ErrorCode::bad_input, "no store is named",
                fmt::format("give --store lvm:VG/POOL or --store dir:PATH, or set store = \"…\" in {}",
                            paths_.config_file().string()));
  }
  return TRY(parse_store_spec(spec)).text();
}

Result<std::unique_ptr<VolumeStore>> CliContext::open_store() {
  const std::string spec = TRY(store_spec());
  auto store = TRY(domsmith::open_store(spec));
  store->report_to(progress());
  return store;
}

Progress& CliContext::progress() {
  if (!progress_) {
    progress_ = make_progress(options_.progress, progress_terminal(options_.no_colour));
  }
  return *progress_;
}

Result<bool> CliContext::parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    TRY(output_.show(help_text(reached(*app_), help_style(output_.style()))));
    return false;
  } catch (const CLI::CallForVersion& version) {
    TRY(output_.show(std::string(version.what()) + "\n"));
    return false;
  } catch (const CLI::ParseError& error) {
    return std::unexpected(usage_error(error, *app_));
  }
  if (auto unknown = unknown_word(*app_)) {
    return std::unexpected(*std::move(unknown));
  }
  if (!chosen_) {
    return std::unexpected(verb_is_missing(reached(*app_)));
  }
  return true;
}

Result<void> CliContext::prepare() {
  const auto mode = parse_progress_mode(progress_word_);
  if (!mode) {
    return fail(ErrorCode::bad_input, fmt::format("bad value '{}' for --progress", printable(progress_word_)),
                "it is one of auto, bar, plain, json, none");
  }
  options_.progress = *mode;
  output_.set_quiet_errors(*mode == ProgressMode::json);
  set_log_level(options_.verbose == 0 ? LogLevel::quiet : options_.verbose == 1 ? LogLevel::info : LogLevel::debug);
  std::error_code error;
  const std::filesystem::path root =
      options_.root.empty() ? TRY(default_root(root_facts())) : std::filesystem::path(options_.root);
  paths_.root = std::filesystem::absolute(root, error).lexically_normal();
  if (error) {
    return fail_errno("cannot tell the current folder", error.value());
  }
  if (!is_utf8(paths_.root.string())) {  // paths below it stand in JSON and in domain configs
    return fail(ErrorCode::bad_input, fmt::format("the path of --root, {}, is no UTF-8", printable(root.string())),
                "choose a folder whose path is UTF-8");
  }
  if (chosen_kind_ == VerbKind::changes && !options_.plan && recovery_) {
    TRY(recovery_());
  }
  return {};
}

int CliContext::finish(const Result<void>& result) {
  progress_.reset();  // takes its bar off the terminal
  if (!result) {
    output_.error(result.error());
    return exit_status(result.error());
  }
  return exit_status_;
}

int CliContext::run(int argc, const char* const* argv) {
  output_.set_json(mentions(argc, argv, "--json"));
  output_.set_no_colour(mentions(argc, argv, "--no-color"));
  const Result<bool> parsed = parse(argc, argv);
  if (!parsed) {
    return finish(std::unexpected(parsed.error()));
  }
  if (!*parsed) {
    return 0;
  }
  if (const Result<void> prepared = prepare(); !prepared) {
    return finish(prepared);
  }
  return finish(chosen_());
}

}  // namespace domsmith
