#include "hypervisor/installer/dialogue.h"

#include <fmt/format.h>

#include <array>
#include <functional>

#include "base/error_text.h"
#include "base/text.h"
#include "hypervisor/answer/answer_checks.h"
#include "hypervisor/answer/install_plan.h"
#include "hypervisor/installer/pages.h"
#include "imagebuild/recipe/write.h"

namespace domsmith {
namespace {

std::string line(std::string_view key, std::string_view value) {
  return value.empty() ? std::string() : fmt::format("{} = {}\n", key, toml_string(value));
}

std::string list_line(std::string_view key, const std::vector<std::string>& values) {
  std::vector<std::string> words;
  words.reserve(values.size());
  for (const std::string& value : values) {
    words.push_back(toml_string(value));
  }
  return words.empty() ? std::string() : fmt::format("{} = [{}]\n", key, join(words, ", "));
}

// "192.0.2.10/24, 2001:db8::10/64" and the like: words between commas and spaces.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : std::string(text) + " ") {
    if (c != ' ' && c != ',') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  return words;
}

std::string disk_lines(const InventoryDisk& disk) {
  std::string text = "\n[[disk]]\n" + line("serial", disk.serial) + line("wwn", disk.wwn);
  if (disk.serial.empty() && disk.wwn.empty()) {  // by what else is known; several that are alike are an error then
    text += line("bus", disk.bus) + line("model", disk.model) + line("size", std::to_string(disk.size));
  }
  return text;
}

using Check = std::optional<Complaint> (*)(std::string_view);

// What is wrong with one of the words.
std::string wrong_word(const std::string& value, Check check) {
  for (const std::string& word : words_of(value)) {
    if (const auto complaint = check(word)) {
      return fmt::format("'{}': {}", word, complaint->what);
    }
  }
  return {};
}

std::string wrong_key(const std::string& value) {
  const auto complaint = answer_checks::ssh_key(trimmed(value));
  return complaint ? complaint->what : std::string();
}

std::string wrong_name(const std::string& value) {
  const auto good = check_name("name of the host", value);
  return good ? std::string() : good.error().what;
}

class Dialogue {
 public:
  Dialogue(Terminal& terminal, const Inventory& inventory) : terminal_(terminal), inventory_(inventory) {}

  Result<std::optional<Answer>> run() {
    using Page = Result<Turn> (Dialogue::*)();
    constexpr std::array<Page, 5> pages{&Dialogue::ask_disks, &Dialogue::ask_cards, &Dialogue::ask_addresses,
                                        &Dialogue::ask_host, &Dialogue::ask_consent};
    prepare();
    if (disks_.items.empty() || cards_.items.empty()) {
      return fail(ErrorCode::bad_input,
                  disks_.items.empty() ? "this machine has no disk to install to" : "this machine has no network card",
                  "its drivers are those of hypervisor/modules.txt");
    }
    for (std::size_t page = 0; page < pages.size();) {
      if (TRY((this->*pages[page])()) == Turn::next) {
        ++page;
      } else if (page-- == 0) {
        return std::optional<Answer>();
      }
    }
    return answer_;
  }

 private:
  void prepare() {
    disks_ = {.title = "disks (1 of 5)",
              .text = {"Which disk takes the hypervisor and its guests? Two are RAID 1.",
                       "Nothing is written before the last page."},
              .items = {},
              .most = 2};
    for (const InventoryDisk& disk : inventory_.disks) {
      if (!disk.read_only && !disk.removable) {
        shown_disks_.push_back(disk);
        disks_.items.push_back({.text = disk_text(disk), .detail = "holds " + holdings_text(disk)});
      }
    }
    cards_ = {.title = "network cards (2 of 5)",
              .text = {"Which card do the bridge, and with it host and guests, go out by? Several are a bond."},
              .items = {},
              .most = inventory_.cards.size()};
    for (const InventoryCard& card : inventory_.cards) {
      cards_.items.push_back({.text = fmt::format("{}  {}", card.mac, card.name), .detail = {}});
    }
    if (disks_.items.size() == 1) {
      disks_.items[0].chosen = true;
    }
    if (!cards_.items.empty()) {
      cards_.items[0].chosen = true;
    }
  }

  Result<Turn> ask_disks() {
    const Turn turn = TRY(show_list(terminal_, disks_));
    choices_.disks.clear();
    for (std::size_t i = 0; i < disks_.items.size(); ++i) {
      if (disks_.items[i].chosen) {
        choices_.disks.push_back(shown_disks_[i]);
      }
    }
    return turn;
  }

  Result<Turn> ask_cards() {
    const Turn turn = TRY(show_list(terminal_, cards_));
    choices_.macs.clear();
    for (std::size_t i = 0; i < cards_.items.size(); ++i) {
      if (cards_.items[i].chosen) {
        choices_.macs.push_back(inventory_.cards[i].mac);
      }
    }
    return turn;
  }

  Result<Turn> ask_addresses() {
    FieldPage page{
        .title = "addresses (3 of 5)",
        .text = {"The host's own addresses, as 192.0.2.10/24 or 2001:db8::10/64, with spaces between several.",
                 "Leave it empty for DHCP."},
        .fields = {
            {.label = "Addresses",
             .value = choices_.address,
             .wrong = [](const std::string& value) { return wrong_word(value, answer_checks::address_with_prefix); }},
            {.label = "Gateways",
             .value = choices_.gateway,
             .wrong = [](const std::string& value) { return wrong_word(value, answer_checks::address); }},
            {.label = "Name servers", .value = choices_.dns, .wrong = [](const std::string& value) {
               return wrong_word(value, answer_checks::address);
             }}}};
    const Turn turn = TRY(show_fields(terminal_, page));
    choices_.address = page.fields[0].value;
    choices_.gateway = page.fields[1].value;
    choices_.dns = page.fields[2].value;
    return turn;
  }

  Result<Turn> ask_host() {
    FieldPage page{.title = "the host (4 of 5)",
                   .text = {"Its name, and the public ssh key of who may log in as root, a line of authorized_keys.",
                            "Nobody else can log in: the host has no password."},
                   .fields = {{.label = "Name", .value = choices_.name, .wrong = wrong_name},
                              {.label = "Key", .value = choices_.ssh_key, .wrong = wrong_key}}};
    const Turn turn = TRY(show_fields(terminal_, page));
    choices_.name = page.fields[0].value;
    choices_.ssh_key = trimmed(page.fields[1].value);
    return turn;
  }

  // What cannot be installed is said here, and the person goes back.
  Result<Turn> ask_consent() {
    auto answer = parse_answer(answer_text(choices_), "dialogue.toml");
    const auto plan = answer ? plan_install(*answer, inventory_) : std::unexpected(answer.error());
    if (!plan) {
      TRY(show_message(terminal_, "this cannot be installed", split_lines(error_text(plan.error())), "Any key: back"));
      return Turn::back;
    }
    bool erases = false;
    for (const PlannedDisk& disk : plan->disks) {
      erases = erases || !disk.erase.empty();
    }
    const std::string word = erases ? "erase" : "install";
    const Turn turn = TRY(show_text(
        terminal_, {.title = erases ? "summary: what is on these disks will be gone (5 of 5)" : "summary (5 of 5)",
                    .text = split_lines(install_plan_text(*plan)),
                    .question = fmt::format("Type {} to begin", word),
                    .word = word}));
    answer_ = std::move(*answer);
    return turn;
  }

  Terminal& terminal_;
  const Inventory& inventory_;
  std::vector<InventoryDisk> shown_disks_;
  ListPage disks_;
  ListPage cards_;
  DialogueChoices choices_;
  std::optional<Answer> answer_;
};

}  // namespace

std::string answer_text(const DialogueChoices& choices) {
  std::string text = "# What was answered at the console.\n[host]\n" + line("name", choices.name);
  text += choices.ssh_key.empty() ? std::string() : list_line("ssh-keys", {choices.ssh_key});
  bool erases = false;
  for (const InventoryDisk& disk : choices.disks) {
    text += disk_lines(disk);
    erases = erases || !disk.empty();
  }
  text += erases ? "\n[storage]\nwipe = \"named\"\n" : "";
  text += "\n[[network]]\n" + list_line("macs", choices.macs) + list_line("addresses", words_of(choices.address)) +
          list_line("gateways", words_of(choices.gateway)) + list_line("dns", words_of(choices.dns));
  return text;
}

Result<std::optional<Answer>> ask_answer(Terminal& terminal, const Inventory& inventory) {
  return Dialogue(terminal, inventory).run();
}

Result<void> show_message(Terminal& terminal, const std::string& title, const std::vector<std::string>& text,
                          const std::string& keys) {
  TRY(terminal.draw(page_frame(terminal, title, text, keys)));
  TRY(terminal.read_key());
  return {};
}

}  // namespace domsmith
