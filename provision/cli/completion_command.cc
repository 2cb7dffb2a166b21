// domsmith completion: bash's programmable completion (bash(1), "Programmable Completion"), made from the verbs
// themselves.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "provision/cli/command.h"
#include "provision/cli/help.h"

namespace domsmith {
namespace {

std::vector<const CLI::App*> shown_verbs(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* verb) { return !verb->get_group().empty(); });
}

// What may come next behind `app`: its verbs and its options.
std::string words_of(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* verb : shown_verbs(app)) {
    words.push_back(verb->get_name());
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      words.push_back("--" + name);
    }
  }
  return join(words, " ");
}

void add_cases(const CLI::App& app, std::string& cases) {
  cases += fmt::format("    '{}') words='{}' ;;\n", full_name(app), words_of(app));
  for (const CLI::App* verb : shown_verbs(app)) {
    add_cases(*verb, cases);
  }
}

std::string bash_completion(const CLI::App& top) {
  std::string cases;
  add_cases(top, cases);
  return fmt::format(R"(# bash completion for domsmith: source <(domsmith completion)
_domsmith() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} path=domsmith words='' word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in -*) ;; *) [[ $path == *' '*' '* ]] || path+=" $word" ;; esac
  done
  case $path in
{}    *) path=${{path% *}} ;;
  esac
  if [[ -z $words ]]; then
    case $path in
{}    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words --root --store --config --json --progress" -- "$current")
}}
complete -o default -F _domsmith domsmith
)",
                     cases, cases);
}

}  // namespace

void add_completion_command(CliContext& cli) {
  cli.verb(cli.top(), "completion", "bash's completion: source <(domsmith completion)", [&cli] {
    const std::string script = bash_completion(cli.top().app());
    return cli.output().answer({{"shell", "bash"}, {"script", script}}, script);
  });
}

}  // namespace domsmith
