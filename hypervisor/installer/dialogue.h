// The installer's questions to a person at a console, a screen each: disks, network cards, addresses, name and key, and
// a summary of what will be erased, which must be confirmed. What comes out is an answer file, the same as anybody
// could have written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "hypervisor/answer/answer.h"
#include "hypervisor/answer/inventory.h"
#include "hypervisor/installer/terminal.h"

namespace domsmith {

struct DialogueChoices {
  std::vector<InventoryDisk> disks;  // one, or two for RAID 1
  std::vector<std::string> macs;     // several are a bond
  std::string address;               // "192.0.2.10/24"; empty: DHCP
  std::string gateway;
  std::string dns;
  std::string name = "xen1";
  std::string ssh_key;  // a line of authorized_keys
};

// TOML, docs/answer-file.md. A disk is named by its serial number or WWN, and may be erased if it holds something.
std::string answer_text(const DialogueChoices& choices);

// nullopt: the person left with Esc. bad_input: this machine has no disk or no network card to install with.
Result<std::optional<Answer>> ask_answer(Terminal& terminal, const Inventory& inventory);

// The end, good or bad, until a key is pressed.
Result<void> show_message(Terminal& terminal, const std::string& title, const std::vector<std::string>& text,
                          const std::string& keys);

}  // namespace domsmith
