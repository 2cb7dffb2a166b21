#include "lvm-snapshots/lvm_program.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/process.h"

namespace domsmith {

Result<std::filesystem::path> lvm_program(const std::string& name) {
  return std::filesystem::path(TRY(find_program(name)));
}

Result<std::string> run_lvm_program(LvmCommand command) {
  command.front() = TRY(find_program(command.front()));
  Command program{.argv = std::move(command), .environment = {}, .working_directory = {}, .process_group = true};
  for (const char* variable : {"LVM_SYSTEM_DIR", "DM_DISABLE_UDEV"}) {
    if (const char* value = std::getenv(variable); value != nullptr) {
      program.environment.push_back(fmt::format("{}={}", variable, value));
    }
  }
  return TRY(run_checked(program)).out;
}

}  // namespace domsmith
