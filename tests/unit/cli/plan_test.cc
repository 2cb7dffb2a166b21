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

TEST_F(PlanTest, GuestsThatAreThereStayAsTheyAre) {
  ASSERT_EQ(run({"clone", "gold", "--name", "web", "--count", "2"}), 0) << err_->text();
  expect_plan({"clone", "gold", "--name", "db", "--plan"}, "one clone of image gold");
  expect_plan({"guest", "reset", "web-*", "--plan"}, "reset 2 guests");
  expect_plan({"guest", "remove", "--all", "--plan"}, "remove 2 guests");
  expect_plan({"image", "remove", "gold", "--plan"}, "remove image gold");
}

}  // namespace
}  // namespace domsmith
