// Xen: what starting guests needs.
#include <fmt/format.h>

#include "base/process.h"
#include "provision/cli/doctor.h"
#include "provision/toolstack/xen_facts.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using State = Check::State;

Check guests(std::string name, bool good, std::string text, std::string remedy, State otherwise = State::missing) {
  return {.area = "guests",
          .name = std::move(name),
          .state = good ? State::ok : otherwise,
          .text = std::move(text),
          .remedy = good ? std::string() : std::move(remedy)};
}

Check check_xen(const XenFacts& facts) {
  if (facts.runs_xen && facts.is_dom0) {
    return guests("Xen", true,
                  fmt::format("runs{}, this is dom0", facts.version.empty() ? "" : " (" + facts.version + ")"), {});
  }
  if (facts.runs_xen) {
    return guests("Xen", false, "this host is itself a guest of Xen", "run domsmith in dom0", State::lacks);
  }
  return guests("Xen", false, "this host does not run Xen: guests can be made here, not started",
                facts.hypervisor_installed
                    ? "reboot and choose the Xen entry of the boot menu"
                    : "apt-get install xen-system-amd64, then reboot; or see script/demo for a lab",
                State::lacks);
}

Check check_bridge(const std::string& bridge, const fs::path& host, State otherwise) {
  std::error_code ignored;
  const bool there = fs::exists(host / "sys/class/net" / bridge / "bridge", ignored);
  return guests("bridge", there, there ? bridge : fmt::format("there is no bridge '{}'", bridge),
                fmt::format("make it (ip link add {} type bridge), or set bridge = \"…\" in the settings", bridge),
                otherwise);
}

void check_dom0(const XenFacts& facts, std::vector<Check>& checks) {
  checks.push_back(guests("privcmd", facts.privcmd, facts.privcmd ? "can be opened" : "cannot be opened by this user",
                          "start and stop guests as root"));
  checks.push_back(guests("xenstored", facts.xenstored, facts.xenstored ? "answers" : "does not answer",
                          "systemctl start xenstored (or: systemctl start xen)"));
  checks.push_back(guests("xenconsoled", facts.xenconsoled, facts.xenconsoled ? "runs" : "does not run",
                          "systemctl start xenconsoled (or: systemctl start xen)"));
  if (facts.free_memory_mib && facts.total_memory_mib) {
    const bool enough = *facts.free_memory_mib >= 128;
    checks.push_back(
        guests("memory", enough,
               fmt::format("{} MiB of {} MiB are free for guests", *facts.free_memory_mib, *facts.total_memory_mib),
               "give dom0 less: dom0_mem= on Xen's command line, or xl mem-set 0", State::lacks));
  }
  if (facts.pvh) {
    checks.push_back(
        guests("PVH", *facts.pvh, *facts.pvh ? "the machine can run PVH guests" : "the machine cannot run PVH guests",
               "switch on virtualisation (VT-x or SVM) in the firmware, or use the -pv templates", State::lacks));
  }
}

}  // namespace

std::vector<Check> check_guests(const Settings& settings, const fs::path& host) {
  const XenFacts facts = xen_facts(host);
  std::vector<Check> checks{check_xen(facts)};
  if (facts.is_dom0) {
    check_dom0(facts, checks);
  }
  checks.push_back(check_bridge(settings.bridge, host, facts.is_dom0 ? State::missing : State::lacks));
  const Result<std::string> xl = find_program("xl");
  checks.push_back(guests("xl", xl.has_value(), xl ? *xl : "not installed; domsmith starts guests without it",
                          "apt-get install xen-utils, to look at domains by hand", State::lacks));
  return checks;
}

}  // namespace domsmith
