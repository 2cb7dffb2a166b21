// The files of an installed host's /etc that its answer file decides: a value, no device touched.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "hypervisor/answer/answer.h"
#include "hypervisor/answer/install_plan.h"

namespace domsmith {

struct HostFile {
  std::string content;
  unsigned mode = 0644;
};
using HostFiles = std::map<std::string, HostFile>;  // by path below /etc

// `cards` are the MACs of the machine's network cards: what "the only card" means. Keys and the machine-id come from
// `random`.
HostFiles host_files(const Answer& answer, const InstallPlan& plan, const std::vector<std::string>& cards,
                     RandomSource& random);

// systemd.netdev(5) and systemd.network(5) of one bridge: its cards, their bond, its VLAN, its addresses.
HostFiles network_files(const AnswerNetwork& network, const std::vector<std::string>& macs);

// shadow(5) with this hash for root; the other lines stay.
std::string shadow_with_root(std::string_view shadow, const std::string& hash);

}  // namespace domsmith
