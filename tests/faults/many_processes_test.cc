// Sixteen processes at once make 200 clones each: nothing is given twice, nobody hears of a locked database.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "base/error_text.h"
#include "scene.h"
#include "small_image.h"

namespace domsmith {
namespace {

constexpr int processes = 16;
constexpr std::uint32_t clones = 200;

void expect_all_in_parallel(const std::function<Result<void>(int)>& body) {
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto result = body(i);
      if (!result) {
        (void)write_all(2, error_text(result.error()));
      }
      ::_exit(result ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

void expect_no_duplicates(const std::vector<GuestRecord>& guests) {
  ASSERT_EQ(guests.size(), processes * clones);
  std::set<std::string> names, macs, machine_ids, host_keys, uuids, entropy;
  for (const GuestRecord& guest : guests) {
    EXPECT_EQ(guest.state, GuestState::ready);
    names.insert(guest.name);
    macs.insert(guest.identity.macs.at(0));
    machine_ids.insert(guest.identity.machine_id);
    host_keys.insert(host_public_key(guest.identity));
    uuids.insert(guest.uuid);
    entropy.insert(guest.identity.entropy);
  }
  for (const auto& set : {names, macs, machine_ids, uuids, entropy}) {
    EXPECT_EQ(set.size(), guests.size());
  }
  EXPECT_EQ(host_keys.size(), guests.size());
}

TEST(ManyProcesses, on_a_folder_store) {
  const Scene scene;
  ASSERT_EQ(in_child({}, [&] { return scene.build(); }), 0);
  expect_all_in_parallel([&](int i) { return scene.clone(fmt::format("p{}", i), clones); });
  expect_no_duplicates(scene.guests());
  std::size_t volumes = 0;
  const auto store = *open_store(scene.store_spec());
  const std::vector<VolumeInfo> listed = *store->list();
  for (const VolumeInfo& volume : listed) {
    volumes += volume.kind == VolumeKind::clone ? 1 : 0;
  }
  EXPECT_EQ(volumes, processes * clones);
}

TEST(ManyProcesses, on_memory_stores_with_one_registry) {
  const Scene scene("memory:many");
  // The registry's row is everyone's; the volume is in each process's own memory.
  ASSERT_EQ(in_child({}, [&] { return scene.build(); }), 0);
  expect_all_in_parallel([&](int i) -> Result<void> {
    const auto store = TRY(open_store(scene.store_spec()));
    TRY(store->create("gold", 16U << 20));
    {
      const auto target = TRY(store->open("gold", Access::read_write));
      TRY(populate_small(*target));
    }
    TRY(store->seal("gold"));
    return scene.clone(fmt::format("p{}", i), clones);
  });
  expect_no_duplicates(scene.guests());
}

TEST(ManyProcesses, wanting_the_same_names_one_gets_them_and_the_others_are_told) {
  const Scene scene;
  ASSERT_EQ(in_child({}, [&] { return scene.build(); }), 0);
  expect_all_in_parallel([&](int) -> Result<void> {
    const auto made = scene.clone("web", 5);
    if (!made && made.error().code != ErrorCode::exists) {
      return made;
    }
    return {};
  });
  EXPECT_EQ(scene.guests().size(), 5U);
  scene.expect_whole_clones();
}

TEST(ManyProcesses, building_the_same_image_one_does_and_the_others_are_told) {
  const Scene scene;
  expect_all_in_parallel([&](int) -> Result<void> {
    const auto made = scene.build();
    if (!made && made.error().code != ErrorCode::exists && made.error().code != ErrorCode::busy) {
      return made;
    }
    return {};
  });
  ASSERT_EQ(in_child({}, [&] { return scene.clone("web", 1); }), 0);
  scene.expect_whole_clones();
}

}  // namespace
}  // namespace domsmith
