#include "lvm-snapshots/store_spec.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "lvm-snapshots/store.h"
#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {

TEST(StoreSpec, TheThreeKinds) {
  const auto thin = parse_store_spec("lvm:vg0/pool");
  ASSERT_TRUE(ok(thin));
  EXPECT_EQ(thin->kind, StoreKind::lvm);
  EXPECT_EQ(thin->group, "vg0");
  EXPECT_EQ(thin->pool, "pool");
  EXPECT_EQ(thin->text(), "lvm:vg0/pool");
  EXPECT_EQ(parse_store_spec("lvm:vg0")->text(), "lvm:vg0");
  EXPECT_EQ(parse_store_spec("lvm:VG_0.a+b-c")->group, "VG_0.a+b-c");
  EXPECT_EQ(parse_store_spec("dir:/srv/store")->path, "/srv/store");
  EXPECT_EQ(parse_store_spec("memory:a:b")->name, "a:b");
}

TEST(StoreSpec, FoldersBecomeAbsolute) {
  EXPECT_EQ(parse_store_spec("dir:/srv/./x/../store/")->text(), "dir:/srv/store");
  EXPECT_EQ(parse_store_spec("dir:store")->path, (std::filesystem::current_path() / "store").string());
  EXPECT_EQ(parse_store_spec("dir:/")->path, "/");
}

TEST(StoreSpec, EverythingElseIsBadInput) {
  for (const std::string bad :
       {"", "lvm", "lvm:", "lvm:/pool", "lvm:vg0/", "lvm:-vg/pool", "lvm:vg 0/pool", "lvm:vg0/a/b", "lvm:..",
        "lvm:vg0/p'q", "dir:", "dir", "/srv/store", "vg0/pool", "Dir:/x", "lvm:vg0#x", "dir:/srv/\xff"}) {
    EXPECT_TRUE(fails(parse_store_spec(bad), ErrorCode::bad_input)) << bad;
    EXPECT_TRUE(fails(open_store(bad), ErrorCode::bad_input)) << bad;
  }
  EXPECT_TRUE(fails(parse_store_spec("lvm:" + std::string(128, 'a')), ErrorCode::bad_input));
  EXPECT_NE(parse_store_spec("vg0").error().remedy.find("lvm:VG/POOL"), std::string::npos);
}

}  // namespace domsmith::testing
