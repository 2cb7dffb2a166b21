// An answer file: what an unattended installation is to make of a machine. TOML, described in answer_schema.h;
// docs/answer-file.md is the reference. Sizes are bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hypervisor/answer/disk_match.h"

namespace domsmith {

// What the installer may do with a disk that holds something.
enum class WipePolicy {
  empty,  // nothing: only an empty disk is taken
  named,  // a disk whose serial number or WWN the answer file names is erased, whatever it holds
};

struct AnswerHost {
  std::string name;
  std::vector<std::string> ssh_keys;  // lines of authorized_keys; without one nobody can log in over the network
  std::string console_password;       // crypt(5) of root's; empty: nobody can log in on the console
};

struct AnswerXen {
  std::uint64_t dom0_memory = 0;
  unsigned dom0_vcpus = 1;
  std::string serial;        // "com1", "com2" or "none"
  std::string guest_cpus;    // where guests may run, as xl.cfg(5) writes it: "all,^0"; "" for anywhere
  std::string options;       // more words for Xen's command line
  std::string dom0_options;  // more words for dom0's
};

struct AnswerStorage {
  std::vector<DiskMatch> disks;  // one, or two for RAID 1
  WipePolicy wipe = WipePolicy::empty;
  bool raid1 = false;
  std::string volume_group;
  std::string pool;
  std::uint64_t slot = 0;       // of each of the two
  std::uint64_t state = 0;      // /etc and /var/lib of the host
  std::uint64_t pool_size = 0;  // 0: what is left
};

struct AnswerNetwork {
  std::string name;               // of the bridge
  std::vector<std::string> macs;  // of the network cards; several are a bond. Empty: the only card there is
  std::string bond_mode;          // "802.3ad", "active-backup"; "" for one card
  unsigned vlan = 0;              // 0: untagged
  bool dhcp = true;
  std::vector<std::string> addresses;  // "192.0.2.10/24", "2001:db8::10/64"
  std::vector<std::string> gateways;
  std::vector<std::string> dns;
};

struct AnswerGuests {
  std::string image;
  std::string name;
  unsigned count = 1;
  std::string domain_template;
  bool autostart = true;
};

enum class AnswerFinish { reboot, poweroff };

struct Answer {
  std::string file;
  AnswerHost host;
  AnswerXen xen;
  AnswerStorage storage;
  std::vector<AnswerNetwork> networks;
  std::vector<std::string> recipes;  // built at the first boot; paths beside the answer file, or names of shipped ones
  std::vector<AnswerGuests> guests;  // cloned and started at the first boot
  std::string report;                // URL; "" for none
  AnswerFinish finish = AnswerFinish::reboot;
};

// bad_input with every error of the file. `file` is the name that errors show.
Result<Answer> parse_answer(std::string_view text, std::string file);
Result<Answer> load_answer(const std::filesystem::path& path);

}  // namespace domsmith
