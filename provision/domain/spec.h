// A domain: what a guest is to Xen, as a typed value. template.h makes one, xl_config.h writes and reads it as
// xl.cfg(5), toolstack/ starts it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

enum class DomainType { pv, pvh };

// What happens when a domain ends (on_poweroff, on_reboot, on_crash of xl.cfg(5); those of its words that domsmith
// carries out).
enum class DomainAction {
  destroy,
  restart,
  preserve,          // the dead domain stays for a person to look at, until it is destroyed
  coredump_destroy,  // /var/lib/xen/dump/NAME first
  coredump_restart,
};

// How the guest reads the time stamp counter (tsc_mode of xl.cfg(5)). Standard: natively where the host's counter is
// reliable, otherwise each read is trapped and emulated.
enum class TscMode { standard, always_emulate, native };

// xl-disk-configuration(5). The format is always raw: nothing is probed.
struct DomainDisk {
  std::string target;  // absolute path of a block device or a raw file
  std::string vdev = "xvda";
  bool writable = true;
  // true: backendtype=phy is spelled out. Otherwise libxl chooses, and it chooses phy for raw files and block devices
  // alike.
  bool phy = false;
  bool operator==(const DomainDisk&) const = default;
};

// xl-network-configuration(5). Always type=vif; nothing is emulated.
struct DomainVif {
  std::string mac;     // "00:16:3e:01:02:03", lower case
  std::string bridge;  // a host's interface; empty: xl.conf's vif.default.bridge (xenbr0)
  std::string script;  // empty: xl.conf's vif.default.script (vif-bridge)
  std::string rate;    // "100Mb/s", "1MB/s@20ms"; empty: no limit
  bool operator==(const DomainVif&) const = default;
};

struct DomainSpec {
  std::string name;  // check_name()
  std::string uuid;  // "8ad2a4e8-…", lower case
  DomainType type = DomainType::pvh;
  std::uint64_t memory_mib = 256;
  std::uint64_t maxmem_mib = 256;  // >= memory_mib
  unsigned vcpus = 1;
  TscMode tsc = TscMode::standard;
  std::string kernel;   // absolute paths in dom0
  std::string ramdisk;  // may be empty
  std::string cmdline;  // one line, printable ASCII
  std::vector<DomainDisk> disks;
  std::vector<DomainVif> vifs;
  DomainAction on_poweroff = DomainAction::destroy;
  DomainAction on_reboot = DomainAction::restart;
  DomainAction on_crash = DomainAction::destroy;
  bool autostart = false;  // a link in auto/, not a word of the file itself
  bool operator==(const DomainSpec&) const = default;
};

std::string_view type_word(DomainType type);        // "pv", "pvh"
std::string_view action_word(DomainAction action);  // "destroy", "coredump-restart"
std::optional<DomainAction> parse_action(std::string_view word);
std::string_view tsc_word(TscMode mode);  // "default", "always_emulate", "native"
std::optional<TscMode> parse_tsc(std::string_view word);

// Everything a domain must satisfy, and nothing that xl's parser could read in another way: names, UUID, MACs
// (unicast), absolute normal paths with no control characters, vdev words, sizes, no vdev and no MAC twice. bad_input;
// all faults in one Error (`others`).
Result<void> validate(const DomainSpec& spec);

// A limit of a vif as libxl counts it.
struct VifRate {
  std::uint64_t bytes_per_interval = 0;
  std::uint32_t interval_usecs = 0;
};
Result<VifRate> parse_vif_rate(std::string_view text);  // libxlutil's reading of "10Mb/s[@20ms]"

// bad_input for what cannot be a host's interface (at most 15 letters, digits, '.', '_', '-').
Result<void> check_bridge(std::string_view bridge);
// bad_input for what is neither a file name of /etc/xen/scripts nor an absolute path.
Result<void> check_vif_script(std::string_view script);

// "00:16:3E:01:02:03" -> lower case; bad_input for what is no MAC or is a multicast one.
Result<std::string> parse_mac(std::string_view text);

}  // namespace domsmith
