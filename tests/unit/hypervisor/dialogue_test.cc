// The installer's dialogue, driven through a pseudo terminal as a person at a console would.
#include "hypervisor/installer/dialogue.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "base/error_text.h"
#include "base/fd.h"
#include "hypervisor/installer/install.h"
#include "hypervisor/installer/install_screen.h"
#include "hypervisor/installer/pages.h"
#include "tests/unit/hypervisor/disks.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me";
constexpr const char* kDown = "\x1b[B";
constexpr const char* kEnter = "\r";
constexpr std::chrono::seconds kPatience{30};

// The two ends of a pseudo terminal, and what a person at it sees.
class Person {
 public:
  Person() {
    int near = -1;
    int far = -1;
    winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(::openpty(&near, &far, nullptr, nullptr, &size), 0);
    near_ = Fd(near);
    far_ = Fd(far);
  }
  [[nodiscard]] int terminal() const { return far_.get(); }
  void hang_up() { near_.reset(); }
  void type(std::string_view keys) const { EXPECT_TRUE(write_all(near_.get(), keys)); }
  // Reads until the newest screen has the text.
  void see(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (screen().find(text) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "not seen: " << text << "\nbut: " << screen();
      read_some_more();
    }
  }
  // What was drawn last.
  [[nodiscard]] std::string screen() const {
    const auto from = seen_.rfind("\x1b[H");
    return from == std::string::npos ? seen_ : seen_.substr(from);
  }
  void read_some_more() {
    if (!near_) {
      return;
    }
    pollfd wanted{.fd = near_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wanted, 1, 100) > 0) {
      std::array<char, 4096> piece{};
      const ssize_t count = ::read(near_.get(), piece.data(), piece.size());
      seen_.append(piece.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    }
  }

 private:
  Fd near_;
  Fd far_;
  std::string seen_;
};

InventoryDisk disk(const std::string& name, const std::string& serial) {
  return sata_disk("/dev/" + name, 40ULL << 30, serial);
}

Inventory machine() {
  Inventory inventory;
  inventory.memory = 1ULL << 30;
  inventory.disks = {disk("sda", "S1"), disk("sdb", "S2")};
  inventory.disks[1].holds = {{.type = "ext4", .name = "precious"}};
  inventory.cards = {{"eno1", "3c:ec:ef:01:02:03"}, {"eno2", "3c:ec:ef:01:02:04"}};
  return inventory;
}

using Asked = Result<std::optional<Answer>>;

// The dialogue runs beside the person who answers it.
Asked asked(Person& person, const Inventory& inventory, const std::function<void()>& act) {
  Asked result = std::optional<Answer>();
  std::atomic<bool> over = false;
  std::thread dialogue([&] {
    {
      auto terminal = Terminal::take(person.terminal());
      ASSERT_TRUE(terminal);
      result = ask_answer(*terminal, inventory);
    }
    over = true;
  });
  act();
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!over && std::chrono::steady_clock::now() < end) {
    person.read_some_more();
  }
  person.hang_up();  // what was not answered ends here
  dialogue.join();
  return result;
}

TEST(Dialogue, OneDiskAndItsOnlyKey) {
  Person person;
  const Asked answer = asked(person, machine(), [&] {
    person.see("disks (1 of 5)");
    person.see("holds ext4 precious");
    person.type(kEnter);
    person.see("Choose one with the space bar");
    person.type(" ");
    person.see("> [x] /dev/sda");
    person.type(kEnter);
    person.see("> [x] 3c:ec:ef:01:02:03");
    person.type(kEnter);
    person.see("addresses (3 of 5)");
    person.type("\r\r\r");
    person.see("> Name: xen1");
    person.type("\x7f\x7f\x7f\x7fhost-7\r");
    person.see("> Key:");
    person.type(std::string(kKey) + kEnter);
    person.see("summary (5 of 5)");
    person.see("make    partition 1 bios-boot");
    person.type("erase\r");
    person.see("Type install to begin: erase");
    person.type("\x7f\x7f\x7f\x7f\x7finstall\r");
  });
  ASSERT_TRUE(answer) << error_text(answer.error());
  ASSERT_TRUE(*answer);
  EXPECT_EQ((*answer)->host.name, "host-7");
  EXPECT_THAT((*answer)->host.ssh_keys, ElementsAre(kKey));
  ASSERT_EQ((*answer)->storage.disks.size(), 1U);
  EXPECT_EQ((*answer)->storage.disks[0].serial, "S1");
  EXPECT_EQ((*answer)->storage.wipe, WipePolicy::empty);
  ASSERT_EQ((*answer)->networks.size(), 1U);
  EXPECT_TRUE((*answer)->networks[0].dhcp);
  EXPECT_THAT((*answer)->networks[0].macs, ElementsAre("3c:ec:ef:01:02:03"));
}

TEST(Dialogue, TwoDisksOfWhichOneIsErasedABondAndAnAddress) {
  Person person;
  const Asked answer = asked(person, machine(), [&] {
    person.see("disks (1 of 5)");
    person.type(" ");
    person.type(kDown);
    person.type(" ");
    person.see("> [x] /dev/sdb");
    person.type(kEnter);
    person.see("network cards");
    person.type(kDown);
    person.type(" ");
    person.see("> [x] 3c:ec:ef:01:02:04");
    person.type(kEnter);
    person.see("addresses");
    person.type("192.0.2.300/24\r");
    person.see("'192.0.2.300/24':");
    person.type(std::string(14, '\x7f') + "192.0.2.10/24\r192.0.2.1\r192.0.2.53, 192.0.2.54\r");
    person.see("> Name");
    person.type(kEnter);
    person.see("> Key");
    person.type("no key\r");
    person.see("> Key: no key");
    person.type(std::string(6, '\x7f') + kKey + kEnter);
    person.see("what is on these disks will be gone");
    person.type("\x1b[6~");
    person.see("/dev/md/domsmith");
    person.type("erase\r");
  });
  ASSERT_TRUE(answer) << error_text(answer.error());
  ASSERT_TRUE(*answer);
  EXPECT_TRUE((*answer)->storage.raid1);
  EXPECT_EQ((*answer)->storage.wipe, WipePolicy::named);
  EXPECT_EQ((*answer)->networks[0].macs.size(), 2U);
  EXPECT_EQ((*answer)->networks[0].bond_mode, "802.3ad");
  EXPECT_THAT((*answer)->networks[0].addresses, ElementsAre("192.0.2.10/24"));
  EXPECT_THAT((*answer)->networks[0].gateways, ElementsAre("192.0.2.1"));
  EXPECT_THAT((*answer)->networks[0].dns, ElementsAre("192.0.2.53", "192.0.2.54"));
}

TEST(Dialogue, EscGoesBackAndOutInTheEnd) {
  Person person;
  const Asked answer = asked(person, machine(), [&] {
    person.see("disks");
    person.type(" ");
    person.see("> [x] /dev/sda");
    person.type(kEnter);
    person.see("network cards");
    person.type("\x1b");
    person.see("> [x] /dev/sda");
    person.type("\x1b");
  });
  ASSERT_TRUE(answer) << error_text(answer.error());
  EXPECT_FALSE(*answer);
}

// A disk that nobody can name may not be erased: it is said before anything is written.
TEST(Dialogue, WhatCannotBeInstalledIsSaidAndAskedAgain) {
  Inventory inventory = machine();
  inventory.disks.erase(inventory.disks.begin());
  inventory.disks[0].serial.clear();
  Person person;
  const Asked answer = asked(person, inventory, [&] {
    person.see("> [x] /dev/sdb");
    person.type(kEnter);
    person.see("network cards");
    person.type(kEnter);
    person.see("addresses");
    person.type("\r\r\r");
    person.see("> Name");
    person.type(std::string(kEnter) + kKey + kEnter);
    person.see("this cannot be installed");
    person.type("x");
    person.see("the host (4 of 5)");
    person.hang_up();
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().what, "the terminal is gone");
}

TEST(Dialogue, NeedsADiskAndACard) {
  Person person;
  Inventory inventory = machine();
  inventory.disks[0].removable = true;
  inventory.disks[1].read_only = true;
  const Asked answer = asked(person, inventory, [] {});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().what, HasSubstr("no disk"));
}

TEST(Dialogue, AnAnswerCannotBreakOutOfItsQuotes) {
  DialogueChoices choices;
  choices.disks = {disk("sda", "S\"1\\")};
  choices.macs = {"3c:ec:ef:01:02:03"};
  choices.ssh_key = kKey;
  const auto answer = parse_answer(answer_text(choices), "dialogue.toml");
  ASSERT_TRUE(answer) << error_text(answer.error());
  EXPECT_EQ(answer->storage.disks[0].serial, "S\"1\\");
}

// A disk's model or a card's name may hold whatever its maker, or who plugs it in, put there.
TEST(Dialogue, NamesOfDevicesCannotDriveTheTerminal) {
  Inventory inventory = machine();
  inventory.disks[0].model = "\x1b]0;title\x07\x1b[2J";
  inventory.cards[0].name = "eno\x1b[1;1Hx\xc2\x9b";
  Person person;
  const Asked answer = asked(person, inventory, [&] {
    person.see("?]0;title??[2J");
    person.type(" \r");
    person.see("eno?[1;1Hx?");
    person.hang_up();
  });
  EXPECT_FALSE(answer);
}

TEST(Terminal, IsNoPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Fd in(ends[0]);
  const Fd out(ends[1]);
  EXPECT_FALSE(Terminal::take(in.get()));
}

TEST(Terminal, KeysComeApart) {
  std::string bytes = "ab\x1b[A\x1bOB\x1b[5~\r\x7f\t\x1b[1;5C\x1b";
  const std::array<Key, 9> wanted{Key::text,      Key::up,  Key::down,  Key::page_up, Key::enter,
                                  Key::backspace, Key::tab, Key::other, Key::escape};
  for (const Key key : wanted) {
    ASSERT_FALSE(bytes.empty());
    EXPECT_EQ(take_key(bytes).key, key);
  }
  EXPECT_TRUE(bytes.empty());
}

TEST(InstallScreen, ShowsStepsABarAndTheTimeLeft) {
  Person person;
  auto terminal = Terminal::take(person.terminal());
  ASSERT_TRUE(terminal);
  std::chrono::steady_clock::time_point now{};
  InstallScreen screen(*terminal, install_steps(), [&] { return now; });
  screen.begin("install", 9, "steps");
  now += std::chrono::seconds(10);
  screen.advance("install", 3, 9, "steps");
  screen.advance("slot", 1U << 20, 2U << 20, "bytes");
  person.see("slot: 1.0 MiB of 2.0 MiB");
  EXPECT_THAT(person.screen(), HasSubstr("done volumes"));
  EXPECT_THAT(person.screen(), HasSubstr(" >  slot"));
  EXPECT_THAT(person.screen(), HasSubstr(" left"));
  screen.end("install");
  person.see("100 %");
  EXPECT_THAT(person.screen(), Not(HasSubstr("1.0 MiB of")));
}

TEST(InstallScreen, NoStepTakesTheBarBack) {
  const std::vector<InstallStep> steps = install_steps();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_LT(part_of_installation(steps, i), part_of_installation(steps, i + 1));
  }
  EXPECT_DOUBLE_EQ(part_of_installation(steps, steps.size()), 1.0);
}

// A list that is longer than the screen shows the part where the person is.
TEST(ListPage, FollowsTheItemAtHand) {
  Person person;
  auto terminal = Terminal::take(person.terminal());
  ASSERT_TRUE(terminal);
  ListPage page{.title = "many", .text = {"text"}, .items = {}, .most = 1};
  for (int i = 0; i < 40; ++i) {
    page.items.push_back({.text = "item " + std::to_string(i), .detail = "detail " + std::to_string(i)});
  }
  std::string keys;
  for (int i = 0; i < 39; ++i) {
    keys += kDown;
  }
  std::thread list([&] { EXPECT_TRUE(show_list(*terminal, page)); });
  person.type(keys + " ");
  person.see("[x] item 39");
  person.type(kEnter);
  list.join();
  EXPECT_TRUE(page.items[39].chosen);
}

}  // namespace
}  // namespace domsmith
