#include "provision/toolstack/create_domain.h"

#include <fmt/format.h>

#include "provision/toolstack/creation_remedy.h"
#include "provision/toolstack/domain_config.h"
#include "provision/toolstack/domain_memory.h"
#include "provision/toolstack/preflight.h"

namespace domsmith {

Result<std::uint32_t> create_paused(LibxlContext& libxl, const DomainSpec& spec, const XlSettings& settings) {
  TRY(preflight(spec, settings));
  const auto config = TRY(domain_config(libxl, spec, settings));
  TRY(make_room(libxl, *config, settings));
  libxl.forget_log();
  auto domid = static_cast<std::uint32_t>(INVALID_DOMID);
  const int code = libxl_domain_create_new(libxl.get(), config.get(), &domid, nullptr, nullptr);
  if (code == 0) {
    return domid;
  }
  auto error = libxl.failure(fmt::format("cannot create domain '{}'", spec.name), code);
  error.error().remedy = creation_remedy(error.error().causes);
  // Another guest may have taken the memory in between.
  XlSettings no_ballooning = settings;
  no_ballooning.autoballoon = false;
  if (const auto room = make_room(libxl, *config, no_ballooning); !room) {
    return room.error().code == ErrorCode::no_space ? std::unexpected(room.error()) : std::move(error);
  }
  return error;
}

Result<void> unpause_domain(LibxlContext& libxl, std::uint32_t domid) {
  const int code = libxl_domain_unpause(libxl.get(), domid, nullptr);
  return code == 0 ? Result<void>{} : libxl.failure(fmt::format("cannot start domain {}", domid), code);
}

Result<void> destroy_domain(LibxlContext& libxl, std::uint32_t domid) {
  const int code = libxl_domain_destroy(libxl.get(), domid, nullptr);
  if (code == 0 || code == ERROR_DOMAIN_NOTFOUND) {
    libxl.forget_log();
    return {};
  }
  auto error = libxl.failure(fmt::format("cannot destroy domain {}", domid), code,
                             "`xl list` shows it; a device that is still in use may hold it");
  const auto info = domain_info(libxl, domid);
  return info && !*info ? Result<void>{} : error;
}

Result<std::optional<libxl_dominfo>> domain_info(LibxlContext& libxl, std::uint32_t domid) {
  libxl_dominfo info;
  libxl_dominfo_init(&info);
  const int code = libxl_domain_info(libxl.get(), &info, domid);
  libxl_dominfo copy = info;
  copy.ssid_label = nullptr;  // the one thing in it that is not a plain value
  libxl_dominfo_dispose(&info);
  if (code == ERROR_DOMAIN_NOTFOUND) {
    libxl.forget_log();
    return std::nullopt;
  }
  if (code != 0) {
    return libxl.failure(fmt::format("cannot ask Xen about domain {}", domid), code);
  }
  return copy;
}

}  // namespace domsmith
