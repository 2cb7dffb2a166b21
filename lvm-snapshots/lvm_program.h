// Programs of LVM and of thin-provisioning-tools, where liblvm2cmd does not serve.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "lvm-snapshots/lvm_library.h"

namespace domsmith {

// Where it is; not_found.
Result<std::filesystem::path> lvm_program(const std::string& name);

// What it prints. It looks for LVM's settings where our LVM does, and a Ctrl-C at the terminal does not cut it off.
Result<std::string> run_lvm_program(LvmCommand command);

}  // namespace domsmith
