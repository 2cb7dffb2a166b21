// The two static programs that domsmith carries inside itself (.incbin), as the bytes of ELF executables.
#pragma once

#include <string_view>

namespace domsmith::agent {

std::string_view agent_program();  // runs a list of steps (steps.h) in a half-built image
std::string_view init_program();   // /init of our initramfs: loads modules, mounts the root, starts its init

}  // namespace domsmith::agent
