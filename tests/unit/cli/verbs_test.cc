// Whole verbs on a folder store: what they say.
#include <gmock/gmock.h>

#include "tests/unit/cli/golden_store.h"

namespace domsmith {
namespace {

using testing::HasSubstr;
using testing::Not;

class VerbsTest : public GoldenStoreTest {
 protected:
  std::string progress_of(const std::vector<std::string>& words, const std::string& mode = "plain") {
    testing::internal::CaptureStderr();
    const int status = run(words, mode);
    std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(status, 0) << err_->text();
    return said;
  }
};

TEST_F(VerbsTest, ProgressEndsWithAllOfIt) {
  EXPECT_THAT(progress_of({"clone", "gold", "--name", "web"}), HasSubstr("volumes: 1 of 1 volumes ("));
  EXPECT_THAT(progress_of({"guest", "reset", "web"}), HasSubstr("identities: 1 of 1 clones ("));
  EXPECT_THAT(progress_of({"clone", "gold", "--name", "db", "--count", "9"}), HasSubstr("volumes: 9 of 9 volumes ("));
  const std::string more = progress_of({"clone", "gold", "--name", "bare", "--count", "3"});
  EXPECT_EQ(more.find("no network system"), more.rfind("no network system")) << "once, not once a clone: " << more;
  const std::string removed = progress_of({"guest", "remove", "--all"});
  EXPECT_THAT(removed, Not(HasSubstr("0 of")));
}

}  // namespace
}  // namespace domsmith
