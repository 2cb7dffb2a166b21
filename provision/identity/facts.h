// What an image's file system says about how its distribution keeps a machine's identity.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace domsmith {

namespace extfs {
class FileSystem;
}

// Who configures the network when the image boots.
enum class NetworkSystem { none, netplan, network_manager, ifupdown, networkd };

struct ImageFacts {
  NetworkSystem network = NetworkSystem::none;
  bool networkd_enabled = false;          // a .wants folder of /etc/systemd/system links to systemd-networkd.service
  std::string networkd_unit;              // where systemd-networkd.service lies; empty: not in the image
  std::optional<std::string> interfaces;  // /etc/network/interfaces
  bool resolv_conf_is_ours = false;       // /etc/resolv.conf is absent or a plain file, nobody's link
  bool no_name_servers = false;           // nor in it, and no systemd-resolved that would take those of DHCP
  bool systemd = false;
  bool openssh = false;  // sshd or ssh-keygen is there
  bool cloud_init = false;
  std::optional<std::string> hosts;            // /etc/hosts
  std::optional<std::string> authorized_keys;  // /root/.ssh/authorized_keys
  bool dbus_machine_id = false;                // /var/lib/dbus/machine-id is there, as a file or a link
  bool urandom_seed = false;                   // /var/lib/urandom/random-seed is there (sysvinit)
  std::vector<std::string> host_keys;          // /etc/ssh/ssh_host_*
  std::vector<std::string> leftovers;          // DHCP leases, DUIDs, persistent net rules: what clones must not share
};

// Reads only. failed: the file system is damaged, or one of these files is larger than any sane one of its kind.
Result<ImageFacts> read_image_facts(extfs::FileSystem& fs);

}  // namespace domsmith
