// domsmith iso …: the installation medium and what it will do.
#pragma once

namespace domsmith {

class CliContext;

void add_iso_commands(CliContext& cli);

}  // namespace domsmith
