#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using RegistryImages = RegistryTest;

TEST_F(RegistryImages, EveryColumnComesBack) {
  auto registry = open();
  value_of(registry.reserve_image(test_image()));
  auto expected = test_image();
  EXPECT_EQ(value_of(registry.find_image(kStore, "gold")), expected);
  expected.used = 12345;
  value_of(registry.complete_image(expected));
  expected.state = ImageState::ready;
  expected.operation.clear();
  EXPECT_EQ(value_of(open().find_image(kStore, "gold")), expected);
}

TEST_F(RegistryImages, ReservedTwice) {
  auto registry = open();
  value_of(registry.reserve_image(test_image("gold", "one")));
  EXPECT_THAT(registry.reserve_image(test_image("gold", "two")),
              FailsWith(ErrorCode::busy, "another process is making the image 'gold' (operation one)"));
  value_of(registry.reserve_image(test_image("gold", "one")));
  value_of(registry.complete_image(test_image("gold", "one")));
  EXPECT_THAT(registry.reserve_image(test_image("gold", "two")),
              FailsWith(ErrorCode::exists, HasSubstr("there is an image 'gold'")));
  EXPECT_THAT(registry.complete_image(test_image("gold", "two")),
              FailsWith(ErrorCode::not_found, HasSubstr("not reserved")));
}

TEST_F(RegistryImages, TheSameNameInAnotherStore) {
  auto registry = open();
  add_image(registry);
  auto other = test_image("gold", "other");
  other.store = "lvm:vg0/pool";
  value_of(registry.reserve_image(other));
  EXPECT_THAT(value_of(registry.find_images("gold")), SizeIs(2));
  EXPECT_THAT(value_of(registry.list_images()), SizeIs(2));
}

TEST_F(RegistryImages, NotFoundSaysWhatMayBeMeant) {
  auto registry = open();
  add_image(registry, "debian-minimal");
  const auto near = registry.find_image(kStore, "debian-minimel");
  EXPECT_THAT(near, FailsWith(ErrorCode::not_found, HasSubstr("there is no image 'debian-minimel'")));
  EXPECT_EQ(near.error().remedy, "did you mean 'debian-minimal'?");
  const auto elsewhere = registry.find_image("dir:/else", "debian-minimal");
  EXPECT_EQ(elsewhere.error().remedy, "there is one in dir:/srv/store: give --store dir:/srv/store");
}

TEST_F(RegistryImages, BadNamesAreRefused) {
  auto registry = open();
  for (const auto* name : {"", "..", "a/b", "Gold", "gold\n"}) {
    EXPECT_FALSE(registry.reserve_image(test_image(name)).has_value()) << name;
  }
}

TEST_F(RegistryImages, OneThatGuestsUseStays) {
  auto registry = open();
  add_image(registry);
  add_guests(registry, "web", 7);
  const auto refused = registry.drop_image(kStore, "gold");
  EXPECT_THAT(refused,
              FailsWith(ErrorCode::failed,
                        "the image 'gold' is in use by 7 guests: web-1, web-2, web-3, web-4, web-5 and 2 more"));
  EXPECT_THAT(registry.begin_image_removal(kStore, "gold", "rm"),
              FailsWith(ErrorCode::failed, HasSubstr("in use by 7 guests")));
  EXPECT_THAT(value_of(registry.guests_of_image(kStore, "gold")), SizeIs(7));
  EXPECT_EQ(value_of(registry.find_image(kStore, "gold")).state, ImageState::ready);
}

TEST_F(RegistryImages, RemovalKeepsClonesAway) {
  auto registry = open();
  add_image(registry);
  EXPECT_EQ(value_of(registry.begin_image_removal(kStore, "gold", "rm")).volume, "gold");
  value_of(registry.begin_image_removal(kStore, "gold", "rm"));  // a recovery does it again
  EXPECT_THAT(registry.begin_image_removal(kStore, "gold", "rm2"),
              FailsWith(ErrorCode::busy, HasSubstr("removing the image 'gold'")));
  EXPECT_THAT(registry.reserve_guests(test_requests("web", 1), test_options()),
              FailsWith(ErrorCode::busy, HasSubstr("removing the image 'gold'")));
  value_of(registry.drop_image(kStore, "gold"));
  value_of(registry.drop_image(kStore, "gold"));
  EXPECT_THAT(value_of(registry.list_images()), IsEmpty());
  EXPECT_THAT(registry.begin_image_removal(kStore, "gold", "rm"),
              FailsWith(ErrorCode::not_found, HasSubstr("no image 'gold'")));
}

TEST_F(RegistryImages, VolumesOfOthersAreNotTaken) {
  auto registry = open();
  add_image(registry);
  add_guests(registry, "web", 1);
  EXPECT_THAT(registry.reserve_image(test_image("web")),
              FailsWith(ErrorCode::exists, "the volume name 'web' is taken by the guest 'web'"));
  auto other = test_image("silver");
  other.volume = "gold";
  EXPECT_THAT(registry.reserve_image(other),
              FailsWith(ErrorCode::exists, "the volume name 'gold' is taken by the image 'gold'"));
  EXPECT_THAT(registry.reserve_guests(test_requests("gold", 1), test_options()),
              FailsWith(ErrorCode::exists, "the volume name 'gold' is taken by the image 'gold'"));
}

TEST_F(RegistryImages, RecoveryFindsTheRows) {
  auto registry = open();
  add_image(registry);
  value_of(registry.reserve_image(test_image("silver", "build-9")));
  value_of(registry.reserve_guests(test_requests("web", 2), test_options("clone-9")));
  EXPECT_THAT(value_of(registry.operations()), ElementsAre("build-9", "clone-9"));
  EXPECT_THAT(value_of(registry.rows_of_operation("build-9")).images, SizeIs(1));
  EXPECT_THAT(names_of(value_of(registry.rows_of_operation("clone-9")).guests), ElementsAre("web-1", "web-2"));
  EXPECT_THAT(value_of(registry.rows_of_operation("")).images, IsEmpty());
}

}  // namespace
}  // namespace domsmith
