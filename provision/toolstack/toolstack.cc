#include "provision/toolstack/toolstack.h"

#include "provision/toolstack/libxl_toolstack.h"

namespace domsmith {

std::string_view state_word(DomainState state) {
  switch (state) {
    case DomainState::running:
      return "running";
    case DomainState::paused:
      return "paused";
    case DomainState::shutdown:
      return "shut down";
    case DomainState::crashed:
      return "crashed";
    case DomainState::dying:
      return "dying";
  }
  return "unknown";
}

Result<std::unique_ptr<Toolstack>> open_toolstack(const ToolstackOptions& options) {
  return LibxlToolstack::open(options);
}

}  // namespace domsmith
