// What xl.conf(5) sets for every guest of this host and `xl create` would heed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

namespace domsmith {

struct XlSettings {
  std::string vif_bridge;           // vif.default.bridge; empty: libxl's own default, xenbr0
  std::string vif_script;           // vif.default.script; empty: vif-bridge
  std::optional<bool> autoballoon;  // nullopt: "auto", on unless Xen was booted with dom0_mem=
};

// An absent file has no settings.
Result<XlSettings> read_xl_settings(const std::filesystem::path& file = "/etc/xen/xl.conf");

}  // namespace domsmith
