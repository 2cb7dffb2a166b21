// The place where verbs work, opened when one needs it: the registry and the journal of --root, the toolstack of this
// host.
#pragma once

#include <memory>

#include "provision/cli/command.h"
#include "provision/cli/guest_table.h"
#include "provision/guests/batch.h"
#include "provision/toolstack/toolstack.h"
#include "provision/workplace.h"

namespace domsmith {

class Site {
 public:
  // For verbs that change something; makes the folders and the registry. With --plan it is look().
  static Result<Site> open(CliContext& cli);
  // For verbs that only look: nothing is made, and nothing can be written. An empty registry where there is none yet.
  static Result<Site> look(CliContext& cli);

  Workplace& place() { return *place_; }
  Registry& registry() { return *registry_; }
  // known_image(), or with --plan look_at_image().
  Result<ImageRecord> image(VolumeStore& store, std::string_view name);

 private:
  Site(CliContext& cli, Registry registry, std::filesystem::path boot);
  CliContext* cli_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Workplace> place_;
};

ToolstackOptions toolstack_options(const CliContext& cli);
Result<std::unique_ptr<Toolstack>> open_toolstack(const CliContext& cli);
// The same; null where this host does not run Xen.
Result<std::unique_ptr<Toolstack>> toolstack_or_none(const CliContext& cli);
// Who runs on this host; nobody where it does not run Xen.
Result<RunningNames> running_names(const CliContext& cli);

// The domains of this host by name; nullopt where it does not run Xen, or does not tell.
Domains domains_now(const CliContext& cli);

// What a crash left is put right; said on stderr where there was something.
Result<void> recover_quietly(CliContext& cli);

void add_build_command(CliContext& cli);
void add_cache_commands(CliContext& cli);
void add_image_commands(CliContext& cli);
void add_clone_command(CliContext& cli);
void add_guest_commands(CliContext& cli);
void add_run_commands(CliContext& cli, Verb guest);  // start, stop, console, and the hidden guest-monitor
void add_settle_command(CliContext& cli, Verb guest);
void add_changes_command(CliContext& cli, Verb guest);
void add_life_commands(CliContext& cli, Verb guest);  // promote, rebase, resize
void add_list_command(CliContext& cli);
void add_recover_command(CliContext& cli);
void add_audit_command(CliContext& cli);
void add_watch_command(CliContext& cli, Verb store);
void add_gc_command(CliContext& cli);

}  // namespace domsmith
