// What a host does at its start about its guests; the program that it asks is a script.
#include "hypervisor/host/guests.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
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

// The registry's "state" of a guest says nothing of a domain: a host that took it for one stopped no guest, and kept no
// new slot.
TEST(HostGuests, ThoseThatRunAreThoseWithADomain) {
  const std::vector<GuestRecord> guests{{.name = "a"}, {.name = "b"}};
  RunningDomain domain;
  domain.domid = 7;
  const Domains domains = std::map<std::string, RunningDomain>{{"b", domain}};
  EXPECT_THAT(running_names(guests_json(guests, domains)), ElementsAre("b"));
  EXPECT_THAT(running_names(guests_json(guests, std::nullopt)), ElementsAre());
  EXPECT_THAT(running_names("no document"), ElementsAre());
}

}  // namespace
}  // namespace domsmith
