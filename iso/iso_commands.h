// domsmith iso …: the installation medium and what it will do.
#pragma once

#include "provision/cli/verb.h"

namespace domsmith {

class CliContext;

void add_iso_commands(CliContext& cli);
void add_iso_build_commands(CliContext& cli, Verb iso);  // build, slot, verify

}  // namespace domsmith
