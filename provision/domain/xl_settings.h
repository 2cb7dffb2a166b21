// What xl.conf(5) sets for every guest of this host and `xl create` would heed.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "provision/domain/spec.h"

namespace domsmith {

using CpuSet = std::set<unsigned>;  // numbers of physical CPUs, from 0

struct XlSettings {
  std::string vif_bridge;           // vif.default.bridge; empty: libxl's own default, xenbr0
  std::string vif_script;           // vif.default.script; empty: vif-bridge
  std::optional<bool> autoballoon;  // nullopt: "auto", on unless Xen was booted with dom0_mem=
  // Where guests may run at all: vm.cpumask, vm.pv.cpumask, vm.hvm.cpumask (PVH as well); nullopt: anywhere.
  std::optional<CpuSet> cpus;
  std::optional<CpuSet> pv_cpus;
  std::optional<CpuSet> hvm_cpus;

  // The CPUs that both masks leave to a domain of this type.
  [[nodiscard]] std::optional<CpuSet> cpus_for(DomainType type) const;
};

// "0-3,5,^2", "all", "all,^0" (xl.cfg(5), cpus). bad_input for anything else, "nodes:" among it.
Result<CpuSet> parse_cpu_list(std::string_view text);

// An absent file has no settings.
Result<XlSettings> read_xl_settings(const std::filesystem::path& file = "/etc/xen/xl.conf");

}  // namespace domsmith
