// What GRUB shows and starts: the menu of the medium and the menu of an installed host, as grub.cfg(5) texts.
//
// Both read Xen, kernel and initramfs out of a slot, so that the three always fit together. An installed host keeps two
// variables in its grubenv: `slot`, the slot that is known to work, and `try`, one to be started a single time; GRUB
// forgets `try` before it starts that slot, so that whatever goes wrong there, the next start is the old slot again.
#pragma once

#include <string>

#include "hypervisor/answer/answer.h"

namespace domsmith {

struct MediumMenu {
  bool has_answer = false;  // the unattended installation is the entry that starts by itself
  AnswerXen xen;
};
std::string medium_menu(const MediumMenu& menu);

struct HostMenu {
  std::string volume_group;
  AnswerXen xen;
};
std::string host_menu(const HostMenu& menu);

}  // namespace domsmith
