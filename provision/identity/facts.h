// What an image's file system says about how its distribution keeps a machine's identity.
#pragma once

#include <cstdint>
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
  bool networkd_enabled = false;     // a link to systemd-networkd.service in a .wants folder of /etc/systemd/system
  bool interfaces_source_d = false;  // /etc/network/interfaces sources interfaces.d
  std::string interfaces;            // /etc/network/interfaces; empty: absent
  bool systemd = false;              // /usr/lib/systemd/systemd (or /lib/…)
  bool openssh = false;              // sshd or ssh-keygen is there
  bool cloud_init = false;           // cloud-init is there: it would write an identity of its own at the first boot
  bool resolv_conf_plain = false;    // /etc/resolv.conf is a file of its own, nobody's link
  std::optional<std::string> hosts;  // /etc/hosts
  std::optional<std::string> authorized_keys;  // /root/.ssh/authorized_keys
  bool root_home = true;                       // /root is there
  enum class DbusMachineId { absent, link, file } dbus_machine_id = DbusMachineId::absent;
  std::vector<std::string> host_keys;  // /etc/ssh/ssh_host_* files
  std::vector<std::string> leftovers;  // DHCP leases, DUIDs, persistent net rules: files that a clone must not share
};

// Reads only. failed: the file system is damaged, or a file is larger than any sane one of its kind.
Result<ImageFacts> read_image_facts(extfs::FileSystem& fs);

}  // namespace domsmith
