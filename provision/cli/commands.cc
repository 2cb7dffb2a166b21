#include "provision/cli/command.h"
#include "provision/cli/site.h"

namespace domsmith {

void add_all_commands(CliContext& cli) {
  add_build_command(cli);
  add_clone_command(cli);
  add_list_command(cli);
  add_recover_command(cli);
  add_audit_command(cli);
  add_gc_command(cli);
  add_doctor_command(cli);
  add_completion_command(cli);
  add_recipe_commands(cli);
  add_image_commands(cli);
  add_guest_commands(cli);
  add_template_commands(cli);
  add_store_commands(cli);
  add_cache_commands(cli);
  cli.set_recovery([&cli] { return recover_quietly(cli); });
}

}  // namespace domsmith
