#include "imagebuild/foreign/disk_format.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/process.h"

namespace domsmith::foreign {
namespace {

using testing::HasSubstr;

std::string header(unsigned version) {
  std::string bytes(qcow2_header_bytes, '\0');
  bytes.replace(0, 4, "QFI\xfb");
  bytes[7] = static_cast<char>(version);
  return bytes;
}

TEST(Qcow2, AWholeImageIsTaken) {
  EXPECT_TRUE(check_qcow2_header(header(2)));
  EXPECT_TRUE(check_qcow2_header(header(3)));
}

TEST(Qcow2, AnImageThatNamesAnotherFileIsRefused) {
  std::string backed = header(3);
  backed[15] = 1;  // backing_file_offset
  EXPECT_THAT(check_qcow2_header(backed).error().what, HasSubstr("names another file"));
  std::string elsewhere = header(3);
  elsewhere[79] = 4;  // incompatible_features, external data file
  EXPECT_THAT(check_qcow2_header(elsewhere).error().what, HasSubstr("names another file"));
}

TEST(Qcow2, AnythingElseIsNone) {
  EXPECT_FALSE(check_qcow2_header(""));
  EXPECT_FALSE(check_qcow2_header(header(3).substr(0, 50)));
  EXPECT_FALSE(check_qcow2_header(header(4)));
  EXPECT_FALSE(check_qcow2_header(std::string(200, 'x')));
}

TEST(Disk, IsAFileOfTheNamedFormat) {
  const auto folder = TemporaryDirectory::make();
  ASSERT_TRUE(folder);
  const std::string file = folder->path() / "disk";
  ASSERT_TRUE(write_file_atomic(file, header(3)));
  EXPECT_TRUE(check_disk(file, "qcow2"));
  EXPECT_TRUE(check_disk(file, "raw"));
  EXPECT_EQ(check_disk(file, "vmdk").error().code, ErrorCode::bad_input);
  EXPECT_EQ(check_disk(folder->path(), "raw").error().code, ErrorCode::bad_input);
  EXPECT_EQ(check_disk(file + "x", "raw").error().code, ErrorCode::not_found);
}

// QEMU's own tool writes such images, if it is here.
TEST(Qcow2, KnowsQemusBackedImages) {
  const auto program = find_program("qemu-img");
  if (!program) {
    GTEST_SKIP() << "no qemu-img";
  }
  const auto folder = TemporaryDirectory::make();
  ASSERT_TRUE(folder);
  const std::string base = folder->path() / "base.raw";
  const std::string top = folder->path() / "top.qcow2";
  ASSERT_TRUE(write_file_atomic(base, std::string(1U << 20, 's')));
  ASSERT_TRUE(run_checked({.argv = {*program, "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", top},
                           .environment = {},
                           .working_directory = {}}));
  EXPECT_THAT(check_disk(top, "qcow2").error().causes, testing::Contains(HasSubstr("names another file")));
}

}  // namespace
}  // namespace domsmith::foreign
