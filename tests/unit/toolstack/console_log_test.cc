#include "provision/toolstack/console_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"

namespace domsmith {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConsoleLogTest : public ::testing::Test {
 protected:
  void write(const std::string& text) const {
    ASSERT_TRUE(write_file_atomic(temporary.path() / "guest-web-1.log", text).has_value());
  }
  TemporaryDirectory temporary = TemporaryDirectory::make().value();
};

TEST_F(ConsoleLogTest, OnlyWhatCameSince) {
  write("old boot\n");
  const ConsoleLog log("web-1", temporary.path());
  EXPECT_THAT(log.last_lines(5), IsEmpty());
  write("old boot\none\r\n\n\x1b[31mtwo\x1b[0m\nthree\n");
  EXPECT_THAT(log.last_lines(5), ElementsAre("one", "[31mtwo[0m", "three"));
  EXPECT_THAT(log.last_lines(1), ElementsAre("three"));
}

TEST_F(ConsoleLogTest, ALogThatIsRotatedOrAbsent) {
  const ConsoleLog absent("web-1", temporary.path());
  EXPECT_THAT(absent.last_lines(5), IsEmpty());
  write("a long line of the former life\n");
  const ConsoleLog log("web-1", temporary.path());
  write("new\n");
  EXPECT_THAT(log.last_lines(5), ElementsAre("new"));
}

TEST_F(ConsoleLogTest, OnlyTheTailOfALargeOne) {
  const ConsoleLog log("web-1", temporary.path());
  write(std::string(1U << 20, 'x') + "\nlast\n");
  EXPECT_THAT(log.last_lines(1), ElementsAre("last"));
}

}  // namespace
}  // namespace domsmith
