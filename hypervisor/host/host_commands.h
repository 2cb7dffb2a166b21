// domsmith host …: what a hypervisor does with itself.
#pragma once

namespace domsmith {

class CliContext;
class Verb;

void add_host_commands(CliContext& cli);
void add_slot_commands(CliContext& cli, Verb host);  // upgrade, rollback, and the hidden settle-slot

}  // namespace domsmith
