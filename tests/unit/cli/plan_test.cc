// --plan changes nothing: what is below the root and in the store is afterwards what it was before.
#include <gmock/gmock.h>

#include <map>

#include "base/crypto.h"
#include "tests/unit/cli/golden_store.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PlanTest : public GoldenStoreTest {
 protected:
  // Each file's hash by its name, folders too. Locks are no change, nor is what SQLite maps while it reads.
  [[nodiscard]] std::map<std::string, std::string> everything() const {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
      const std::string name = entry.path().string();
      if (!name.ends_with("lock") && !name.ends_with("-shm") && !name.ends_with("-wal")) {
        found[name] = entry.is_regular_file() ? sha256_hex(read_file(entry.path()).value_or("unreadable")) : "";
      }
    }
    return found;
  }

  void expect_plan(const std::vector<std::string>& words, const std::string& says) {
    const auto before = everything();
    EXPECT_EQ(run(words), 0) << err_->text();
    EXPECT_THAT(out_->text(), HasSubstr(says));
    EXPECT_EQ(before, everything()) << testing::PrintToString(words);
  }
};

TEST_F(PlanTest, AnImageThatOnlyTheStoreKnowsIsNotEntered) {
  expect_plan({"clone", "gold", "--name", "web", "--count", "2", "--plan"}, "2 clones of image gold");
  expect_plan({"image", "remove", "gold", "--plan"}, "remove image gold");
  expect_plan({"image", "export", "gold", "-o", root() + "/out", "--plan"}, "gold.img");
  expect_plan({"image", "show", "gold"}, "image     gold 1");
  expect_plan({"image", "show", "gold"}, "a clone   writes ");
}

TEST_F(PlanTest, NothingIsMadeWhereThereIsNoRegistry) {
  expect_plan({"guest", "reset", "--all", "--plan"}, "reset 0 guests");
  expect_plan({"guest", "remove", "--all", "--plan"}, "remove 0 guests");
  expect_plan({"image", "import", "/nowhere", "--plan"}, "copy the image");
  expect_plan({"list"}, "");
  EXPECT_FALSE(fs::exists(root()));
}

TEST_F(PlanTest, TheLifeOfGuests) {
  ASSERT_EQ(run({"clone", "gold", "--name", "web", "--count", "2"}), 0) << err_->text();
  expect_plan({"clone", "gold", "--name", "db", "--full", "--ephemeral", "--plan"}, "one clone of image gold");
  expect_plan({"guest", "promote", "web-1", "silver", "--plan"}, "remove from the copy: machine-id, SSH host keys");
  expect_plan({"guest", "rebase", "web-*", "--image", "gold", "--plan"}, "2 guests become clones of image gold");
  expect_plan({"guest", "resize", "web-2", "32MiB", "--plan"},
              "from 16.0 MiB to 32.0 MiB\n  run: truncate --size=33554432");
  expect_plan({"guest", "resize", "web-2", "8MiB", "--plan"}, "  run: e2fsck -f -p");
  expect_plan({"gc", "--plan"}, "nothing: everything has an owner");
}

TEST_F(PlanTest, AnAuditChangesNothing) {
  ASSERT_EQ(run({"clone", "gold", "--name", "web", "--count", "2"}), 0) << err_->text();
  expect_plan({"audit"}, "all is as the registry says: 1 image, 2 guests, 3 volumes in 1 store, 2 configs");
  fs::remove(fs::path(root()) / "etc/xen/web-2.cfg");
  const auto before = everything();
  EXPECT_EQ(run({"audit"}), 1);
  EXPECT_THAT(out_->text(), HasSubstr("web-2.cfg is not there\n    --fix writes its config anew"));
  EXPECT_EQ(before, everything());
  EXPECT_EQ(run({"audit", "--json"}), 1);
  EXPECT_THAT(out_->text(), HasSubstr("\"config-missing\""));
  EXPECT_EQ(run({"audit", "--fix"}), 0) << out_->text() << err_->text();
  EXPECT_THAT(out_->text(), HasSubstr("fixed: guest web-2"));
  EXPECT_EQ(run({"audit"}), 0);
}

TEST_F(PlanTest, GuestsThatAreThereStayAsTheyAre) {
  ASSERT_EQ(run({"clone", "gold", "--name", "web", "--count", "2"}), 0) << err_->text();
  expect_plan({"clone", "gold", "--name", "db", "--plan"}, "one clone of image gold");
  expect_plan({"guest", "reset", "web-*", "--plan"}, "reset 2 guests");
  expect_plan({"guest", "remove", "--all", "--plan"}, "remove 2 guests");
  expect_plan({"image", "remove", "gold", "--plan"}, "remove image gold");
}

}  // namespace
}  // namespace domsmith
