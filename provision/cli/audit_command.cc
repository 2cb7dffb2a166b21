// domsmith audit
#include <fmt/format.h>

#include <algorithm>

#include "provision/audit/audit.h"
#include "provision/audit/repair.h"
#include "provision/cli/site.h"

namespace domsmith {

namespace {

struct AuditOptions {
  bool fix = false;
};

// The store that was asked for or set, beside those of the registry.
Result<std::vector<std::string>> named_store(CliContext& cli) {
  if (cli.options().store.empty() && TRY(cli.settings()).store.empty()) {
    return std::vector<std::string>();
  }
  return std::vector{TRY(cli.store_spec())};
}

std::string line_of(const Difference& difference, bool fixing) {
  std::string text = fmt::format("{}: {}\n", difference.subject, difference.text);
  if (difference.repair != Repair::none && !fixing) {
    text += fmt::format("    --fix {}\n", repair_text(difference.repair));
  } else if (!difference.remedy.empty()) {
    text += fmt::format("    {}\n", difference.remedy);
  }
  return text;
}

// What --fix did, as text and JSON.
struct Fixing {
  std::string text;
  nlohmann::json json = nlohmann::json::array();
};

Result<Fixing> fix(CliContext& cli, Site& site, const Audit& found, Toolstack* toolstack) {
  const Settings settings = TRY(cli.settings());
  RepairNeeds needs;
  needs.load_template = [&](std::string_view name) { return load_template(settings.templates, name); };
  needs.bridge = settings.bridge;
  needs.toolstack = toolstack;
  Fixing done;
  for (const RepairOutcome& outcome : repair(site.place(), found.differences, needs, cli.progress())) {
    nlohmann::json entry = difference_json(outcome.difference);
    entry["fixed"] = outcome.failure.empty();
    if (outcome.failure.empty()) {
      done.text += fmt::format("fixed: {}: {}\n", outcome.difference.subject, outcome.difference.text);
    } else {
      entry["failure"] = outcome.failure;
      done.text += fmt::format("not fixed: {}: {}\n", outcome.difference.subject, outcome.failure);
    }
    done.json.push_back(std::move(entry));
  }
  return done;
}

std::string summary(const Audit& result, bool fixing) {
  if (result.differences.empty()) {
    return fmt::format("all is as the registry says: {}\n", counts_text(result.looked_at));
  }
  const auto fixable =
      std::ranges::count_if(result.differences, [](const Difference& each) { return each.repair != Repair::none; });
  const std::size_t count = result.differences.size();
  std::string text = fmt::format("{} difference{}", count, count == 1 ? "" : "s");
  if (!fixing && fixable > 0) {
    text += fmt::format("; domsmith audit --fix repairs {} of them", fixable);
  }
  return text + fmt::format(" (looked at {})\n", counts_text(result.looked_at));
}

Result<void> audit_verb(CliContext& cli, const AuditOptions& options) {
  const auto toolstack = TRY(toolstack_or_none(cli));
  const std::vector<std::string> stores = TRY(named_store(cli));
  Site site = TRY(options.fix ? Site::open(cli) : Site::look(cli));
  Audit result = TRY(audit(site.place(), stores, toolstack.get()));
  nlohmann::json document;
  std::string text;
  if (options.fix) {
    Fixing done = TRY(fix(cli, site, result, toolstack.get()));
    text = std::move(done.text);
    document["repairs"] = std::move(done.json);
    result = TRY(audit(site.place(), stores, toolstack.get()));
  }
  document["clean"] = result.differences.empty();
  document["looked_at"] = counts_json(result.looked_at);
  document["differences"] = nlohmann::json::array();
  for (const Difference& difference : result.differences) {
    document["differences"].push_back(difference_json(difference));
    text += line_of(difference, options.fix);
  }
  TRY(cli.output().answer(document, text + summary(result, options.fix)));
  cli.set_exit_status(result.differences.empty() ? 0 : 1);
  return {};
}

}  // namespace

void add_audit_command(CliContext& cli) {
  auto options = std::make_shared<AuditOptions>();
  // Not VerbKind::changes: that would recover first, and a cut-off operation is one of the things to be told.
  Verb verb = cli.verb(cli.top(), "audit",
                       "compare the registry with stores, the kernel, /etc/xen and running domains; 1: they differ",
                       [&cli, options] { return audit_verb(cli, *options); });
  verb.add_flag("--fix", options->fix, "repair what loses nothing; say what is left");
}

}  // namespace domsmith
