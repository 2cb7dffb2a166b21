// The static program that is /init of the hypervisor's initramfs, as the bytes of an ELF executable.
#pragma once

#include <string_view>

namespace domsmith::host_init {

std::string_view init_program();

}  // namespace domsmith::host_init
