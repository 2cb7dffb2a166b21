// domsmith host …: what a hypervisor does with itself.
#pragma once

namespace domsmith {

class CliContext;

void add_host_commands(CliContext& cli);

}  // namespace domsmith
