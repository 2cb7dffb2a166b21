// domsmith gc
#include "provision/audit/garbage.h"
#include "provision/cli/site.h"

namespace domsmith {

namespace {

Result<void> gc_verb(CliContext& cli) {
  const auto toolstack = TRY(toolstack_or_none(cli));
  std::vector<std::string> stores;
  if (const auto spec = cli.store_spec()) {
    stores.push_back(*spec);
  }
  Site site = TRY(Site::open(cli));
  const Garbage garbage = TRY(find_garbage(site.place(), stores, toolstack.get()));
  if (!cli.plan_only()) {
    TRY(collect_garbage(site.place(), garbage, cli.progress()));
  }
  return cli.output().answer(plan_json(garbage), plan_text(garbage));
}

}  // namespace

void add_gc_command(CliContext& cli) {
  cli.verb(
      cli.top(), "gc", "remove what nobody owns: volumes, configs, boot files, half-made things",
      [&cli] { return gc_verb(cli); }, VerbKind::changes);
}

}  // namespace domsmith
