// What `domsmith doctor` says about Xen on this host. Cheap, prints nothing, and works for an ordinary user as far as
// it can.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

namespace domsmith {

struct XenFacts {
  bool runs_xen = false;              // this kernel runs on Xen
  bool is_dom0 = false;               // and controls it (/proc/xen/capabilities says control_d)
  bool privcmd = false;               // /dev/xen/privcmd or /proc/xen/privcmd can be opened by this user
  bool xenstored = false;             // its socket, or /dev/xen/xenbus, answers
  bool xenconsoled = false;           // runs: guests' consoles are served
  bool hypervisor_installed = false;  // a /boot/xen-*.gz is there, to be booted
  std::string version;                // "4.17.5"; empty: not known
  // Through libxl, so for root on a dom0 only.
  std::optional<std::uint64_t> total_memory_mib;
  std::optional<std::uint64_t> free_memory_mib;
  std::optional<std::uint64_t> dom0_memory_mib;
  std::optional<bool> pvh;  // the machine can run PVH guests (hardware-assisted paging)
};

// `root` is for tests: where /proc, /sys, /dev, /boot and /run are looked for.
XenFacts xen_facts(const std::filesystem::path& root = "/");
// The same without what takes longer: memory, the version, xenconsoled. Enough for require_xen().
XenFacts xen_presence(const std::filesystem::path& root = "/");

// The sentence for a host that cannot run guests, with its remedy; nothing where it can.
Result<void> require_xen(const XenFacts& facts);

}  // namespace domsmith
