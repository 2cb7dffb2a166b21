// domsmith recover
#include <fmt/format.h>

#include "provision/cli/site.h"
#include "provision/recovery/recover.h"

namespace domsmith {

namespace {

Result<void> recover_verb(CliContext& cli) {
  Site site = TRY(Site::open(cli));
  nlohmann::json document{{"recovered", nlohmann::json::array()}};
  std::string text;
  for (const RecoveredOperation& operation : TRY(recover(site.place(), cli.progress()))) {
    document["recovered"].push_back({{"id", operation.id}, {"verb", operation.verb}, {"outcome", operation.outcome}});
    text += operation.outcome + '\n';
  }
  return cli.output().answer(document, text.empty() ? "nothing to recover\n" : text);
}

}  // namespace

void add_recover_command(CliContext& cli) {
  // Not VerbKind::changes: that would recover before it recovers, and say "nothing to recover".
  cli.verb(cli.top(), "recover", "finish or undo what a crash left", [&cli] { return recover_verb(cli); });
}

}  // namespace domsmith
