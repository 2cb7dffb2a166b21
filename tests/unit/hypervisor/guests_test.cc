// What a host does at its start about its guests; the program that it asks is a script.
#include "hypervisor/host/guests.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "hypervisor/host/slots.h"
#include "provision/cli/guest_table.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

struct HostScene {
  TemporaryDirectory folder = TemporaryDirectory::make().value();

  // `on_start` runs in sh(1) with the guest's name in $3.
  HostPlaces places(const std::string& on_start) {
    const fs::path program = folder.path() / "domsmith";
    EXPECT_TRUE(write_file_atomic(program,
                                  fmt::format("#!/bin/sh\ncd {}\n[ \"$1 $2\" = 'guest start' ] || exit 3\n"
                                              "echo \"$3\" >>asked\n{}\n",
                                              folder.path().string(), on_start),
                                  0755));
    for (const char* name : {"a", "b"}) {
      EXPECT_TRUE(write_file_atomic(folder.path() / "auto" / (std::string(name) + ".cfg"), "x"));
    }
    return {.program = program,
            .first_boot = folder.path() / "none.json",
            .keys = folder.path() / "none",
            .autostart = folder.path() / "auto"};
  }
  std::vector<std::string> asked() { return split_lines(trimmed(read_file(folder.path() / "asked").value_or(""))); }
};

// Seen in a host under emulation: a device script of the first guest took longer than the 40 s that Xen gives it.
TEST(HostGuests, TriesOnceMoreWhatDidNotStart) {
  HostScene scene;
  SilentProgress progress;
  const auto done = start_host_guests(scene.places("[ $3 = b ] || [ -e once ] || { : >once; exit 1; }"), progress);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_THAT(scene.asked(), ElementsAre("a", "b", "a"));
}

TEST(HostGuests, NamesWhatDoesNotStartAndStartsTheOthers) {
  HostScene scene;
  SilentProgress progress;
  const auto done = start_host_guests(scene.places("[ $3 = b ]"), progress);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().what, HasSubstr("did not start: a"));
  EXPECT_THAT(scene.asked(), ElementsAre("a", "b", "a"));
}

TEST(HostGuests, TheFirstStartClonesWhatTheAnswerFileSays) {
  TemporaryDirectory folder = TemporaryDirectory::make().value();
  const fs::path program = folder.path() / "domsmith";
  ASSERT_TRUE(write_file_atomic(program,
                                fmt::format("#!/bin/sh\ncd {}\n"
                                            "[ \"$1 $2\" != 'guest list' ] || exec echo '{{\"guests\": []}}'\n"
                                            "echo \"$*\" >>asked\n",
                                            folder.path().string()),
                                0755));
  const HostPlaces places{.program = program,
                          .first_boot = folder.path() / "first-boot.json",
                          .keys = folder.path() / "none",
                          .autostart = folder.path() / "auto"};
  ASSERT_TRUE(
      write_file_atomic(places.first_boot,
                        R"({"guests": [{"image": "i", "name": "web", "count": 2, "template": "tiny", "autostart": true},
                                               {"image": "i", "name": "db", "count": 1, "template": "small", "autostart": false}]})"));
  SilentProgress progress;
  ASSERT_TRUE(start_host_guests(places, progress));
  EXPECT_THAT(split_lines(trimmed(read_file(folder.path() / "asked").value_or(""))),
              ElementsAre("clone i --name web --count 2 --template tiny --autostart",
                          "clone i --name db --count 1 --template small", "guest start web-1 --progress=none",
                          "guest start web-2 --progress=none", "guest start db --progress=none"));
  EXPECT_FALSE(fs::exists(places.first_boot)) << "the next start would clone them once more";
}

// The registry's "state" of a guest says nothing of a domain: a host that took it for one stopped no guest, and kept no
// new slot.
TEST(HostGuests, ThoseThatRunAreThoseWithADomain) {
  const std::vector<GuestRecord> guests{{.name = "a"}, {.name = "b"}};
  RunningDomain domain;
  domain.domid = 7;
  const Domains domains = std::map<std::string, RunningDomain>{{"b", domain}};
  const auto names = running_names(guests_json(guests, domains));
  ASSERT_TRUE(names);
  EXPECT_THAT(*names, ElementsAre("b"));
  EXPECT_FALSE(running_names(guests_json(guests, std::nullopt))) << "not to know is not to have none";
}

// A slot whose domsmith cannot list guests passed for healthy on a host without guests that start with it.
TEST(HostGuests, AHostThatCannotListThemHasAFault) {
  TemporaryDirectory folder = TemporaryDirectory::make().value();
  const fs::path program = folder.path() / "domsmith";
  ASSERT_TRUE(write_file_atomic(program, "#!/bin/sh\necho 'no registry' >&2\nexit 1\n", 0755));
  const auto running = running_guests(program);
  ASSERT_FALSE(running);
  EXPECT_THAT(running.error().what, HasSubstr("cannot list the guests: no registry"));
  ASSERT_TRUE(write_file_atomic(program, "#!/bin/sh\necho no document\n", 0755));
  EXPECT_FALSE(running_guests(program));

  const auto faults = guest_faults({.program = program, .root = folder.path()});
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_THAT(faults[0], HasSubstr("cannot list the guests"));
}

TEST(HostGuests, EachThatStartsWithTheHostAndDoesNotRunIsAFault) {
  TemporaryDirectory folder = TemporaryDirectory::make().value();
  const fs::path program = folder.path() / "domsmith";
  ASSERT_TRUE(write_file_atomic(
      program,
      "#!/bin/sh\necho '{\"guests\": [{\"name\": \"a\", \"running\": true}, {\"name\": \"b\", \"running\": false}]}'\n",
      0755));
  for (const char* name : {"a", "b"}) {
    ASSERT_TRUE(write_file_atomic(folder.path() / "etc/xen/auto" / (std::string(name) + ".cfg"), "x"));
  }
  EXPECT_THAT(guest_faults({.program = program, .root = folder.path()}), ElementsAre("the guest b does not run"));
}

// blkid(8) without devices reads them all, and guests' volumes are among them.
TEST(HostSlots, BootPartitionsAreFoundByTheirNameAlone) {
  TemporaryDirectory folder = TemporaryDirectory::make().value();
  const fs::path block = folder.path() / "sys/class/block";
  ASSERT_TRUE(write_file_atomic(block / "vdb2/uevent", "DEVNAME=vdb2\nPARTN=2\nPARTNAME=esp\n"));
  ASSERT_TRUE(write_file_atomic(block / "sda2/uevent", "DEVNAME=sda2\nPARTN=2\nPARTNAME=esp\n"));
  ASSERT_TRUE(write_file_atomic(block / "sda3/uevent", "DEVNAME=sda3\nPARTN=3\nPARTNAME=lvm\n"));
  ASSERT_TRUE(write_file_atomic(block / "dm-7/uevent", "DEVNAME=dm-7\nDEVTYPE=disk\n"));
  EXPECT_THAT(partitions_named("esp", folder.path()), ElementsAre("/dev/sda2", "/dev/vdb2"));
}

}  // namespace
}  // namespace domsmith
