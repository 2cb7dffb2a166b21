#include "hypervisor/init/embedded.h"

// The symbols of embedded.S.
extern "C" {
extern const char domsmith_host_init_start[], domsmith_host_init_end[];
}

namespace domsmith::host_init {

std::string_view init_program() { return {domsmith_host_init_start, domsmith_host_init_end}; }

}  // namespace domsmith::host_init
