// How /init speaks while it works: in the kernel's log, and so on every console.
#pragma once

#include <string_view>

namespace domsmith::agent {

void say(std::string_view text);   // information: /dev/kmsg at level 6
void warn(std::string_view text);  // level 4

}  // namespace domsmith::agent
