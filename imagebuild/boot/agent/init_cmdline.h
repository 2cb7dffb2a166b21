// What the kernel's command line says to the one who mounts the root (kernel-parameters.rst: root, rootfstype,
// rootflags, ro, rw, init, rootwait, rootdelay).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace domsmith::agent {

struct RootOptions {
  std::string root;                           // "/dev/xvda", "LABEL=root", "UUID=…"; empty: nothing was said
  std::string type;                           // "ext4"; empty: found out
  std::string data;                           // mount(2) data: the flags that are the file system's own
  unsigned long mount_flags = 0;              // MS_RDONLY, MS_NOATIME, …
  std::string init;                           // empty: /sbin/init and its fallbacks
  std::optional<unsigned> wait_seconds = 30;  // for the device; nullopt: for ever (rootwait)
};

// Words are split at blanks, double quotes keep them together; the last of two that contradict one another counts.
RootOptions read_root_options(std::string_view cmdline);

// "max_queues=4" of "xen_blkfront.max_queues=4" for the module xen-blkfront, as modprobe(8) hands it on.
std::string module_options(std::string_view cmdline, std::string_view module);

std::vector<std::string> cmdline_words(std::string_view cmdline);

}  // namespace domsmith::agent
