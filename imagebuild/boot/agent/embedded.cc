#include "imagebuild/boot/agent/embedded.h"

// The symbols of embedded.S.
extern "C" {
extern const char domsmith_agent_program_start[], domsmith_agent_program_end[];
extern const char domsmith_init_program_start[], domsmith_init_program_end[];
}

namespace domsmith::agent {

std::string_view agent_program() { return {domsmith_agent_program_start, domsmith_agent_program_end}; }
std::string_view init_program() { return {domsmith_init_program_start, domsmith_init_program_end}; }

}  // namespace domsmith::agent
