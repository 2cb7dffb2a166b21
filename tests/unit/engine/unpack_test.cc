// Packages made here with dpkg-deb, unpacked by us; dpkg itself says what it thinks of the database.
#include "imagebuild/engine/unpack.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"

namespace domsmith::engine {
namespace {

using testing::HasSubstr;
using testing::Not;

class UnpackTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "files of other owners need root";
    }
    auto folder = TemporaryDirectory::make();
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    ASSERT_TRUE(make_directories(path("root")));
    ASSERT_TRUE(make_directories(path("archives")));
  }
  [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_->path() / name; }
  void put(const std::string& name, const std::string& bytes) { ASSERT_TRUE(write_file_atomic(path(name), bytes)); }

  // Packs the folder NAME/ (its DEBIAN/control is made here).
  Package pack(const std::string& name, const std::string& fields = {}) {
    put(name + "/DEBIAN/control", fmt::format("Package: {}\nVersion: 1:2\nArchitecture: amd64\nMaintainer: me <a@b>\n{}"
                                              "Description: a test\n",
                                              name, fields));
    Package package{.name = name, .version = "1:2", .architecture = "amd64"};
    const auto file = path("archives") / package.file();
    EXPECT_TRUE(run_checked({.argv = {"/usr/bin/dpkg-deb", "--root-owner-group", "-b", path(name), file},
                             .environment = {},
                             .working_directory = {}}));
    package.sha256 = sha256_hex(read_file(file).value_or(""));
    return package;
  }

  Result<std::vector<UnpackedPackage>> unpack_all(const std::vector<Package>& packages, const PathFilter& filter = {}) {
    root_ = TRY(open_fd(path("root"), O_RDONLY | O_DIRECTORY));
    auto unpacked = TRY(unpack(path("archives"), packages, root_.get(), filter));
    TRY(write_database(root_.get(), "amd64\n", unpacked));
    return unpacked;
  }
  std::string text(const std::string& name) { return read_file(path("root/" + name)).value_or("(none)"); }

  std::optional<TemporaryDirectory> folder_;
  Fd root_;
};

TEST_F(UnpackTest, FilesAndDatabaseAreWhatDpkgExpects) {
  put("one/etc/one.conf", "a\n");
  put("one/usr/bin/one", "#!/bin/sh\n");
  put("one/DEBIAN/conffiles", "/etc/one.conf\n");
  put("one/DEBIAN/triggers", "interest-noawait /usr/share/x\nactivate-noawait ldconfig\ninterest named\n");
  put("two/usr/lib/two", "2");
  const auto unpacked = unpack_all({pack("one"), pack("two", "Multi-Arch: same\n")});
  ASSERT_TRUE(unpacked) << unpacked.error().what;
  EXPECT_EQ(text("etc/one.conf.dpkg-new"), "a\n");
  EXPECT_EQ(text("etc/one.conf"), "(none)");
  EXPECT_EQ(text("usr/lib/two"), "2");
  EXPECT_EQ(text("var/lib/dpkg/info/one.list"), "/.\n/etc\n/etc/one.conf\n/usr\n/usr/bin\n/usr/bin/one\n");
  EXPECT_EQ(text("var/lib/dpkg/info/two:amd64.list"), "/.\n/usr\n/usr/lib\n/usr/lib/two\n");
  EXPECT_EQ(text("var/lib/dpkg/triggers/File"), "/usr/share/x one/noawait\n");
  EXPECT_EQ(text("var/lib/dpkg/triggers/named"), "one\n");
  EXPECT_THAT(text("var/lib/dpkg/status"), HasSubstr("Package: one\nStatus: install ok unpacked\n"));
  EXPECT_THAT(text("var/lib/dpkg/status"), HasSubstr("Conffiles:\n /etc/one.conf newconffile\n"));
  // They need no script: dpkg of the host can configure them there.
  const auto configured =
      run_checked({.argv = {"/usr/bin/dpkg", "--root=" + path("root").string(), "--configure", "-a"},
                   .environment = {},
                   .working_directory = {}});
  ASSERT_TRUE(configured) << testing::PrintToString(configured.error().causes);
  EXPECT_EQ(text("etc/one.conf"), "a\n");
  EXPECT_THAT(text("var/lib/dpkg/status"), Not(HasSubstr("unpacked")));
  const auto verified = run({.argv = {"/usr/bin/dpkg", "--root=" + path("root").string(), "--verify"},
                             .environment = {},
                             .working_directory = {}});
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->out, "");
}

TEST_F(UnpackTest, WhatIsLeftOutIsListedAllTheSame) {
  put("one/usr/share/doc/one/README", "r");
  put("one/usr/share/doc/one/copyright", "c");
  PathFilter filter;
  filter.read("path-exclude=/usr/share/doc/*\npath-include=/usr/share/doc/*/copyright\n");
  ASSERT_TRUE(unpack_all({pack("one")}, filter));
  EXPECT_EQ(text("usr/share/doc/one/README"), "(none)");
  EXPECT_EQ(text("usr/share/doc/one/copyright"), "c");
  EXPECT_THAT(text("var/lib/dpkg/info/one.list"), HasSubstr("/usr/share/doc/one/README\n"));
}

TEST_F(UnpackTest, LinksLeadNowhereOutsideTheTree) {
  ASSERT_TRUE(make_directories(path("outside")));
  ASSERT_EQ(::symlink(path("outside").c_str(), path("root/lib").c_str()), 0);
  put("one/lib/file", "x");
  ASSERT_TRUE(unpack_all({pack("one")}));
  EXPECT_TRUE(std::filesystem::is_empty(path("outside")));
}

TEST_F(UnpackTest, AChangedFileIsRefused) {
  put("one/usr/bin/one", "1");
  Package package = pack("one");
  package.sha256[0] = package.sha256[0] == '0' ? '1' : '0';
  const auto unpacked = unpack_all({package});
  ASSERT_FALSE(unpacked);
  EXPECT_THAT(unpacked.error().what, HasSubstr("its SHA-256 differs"));
}

TEST_F(UnpackTest, TwoOwnersOfOneFileAreNamed) {
  put("one/usr/bin/x", "1");
  put("two/usr/bin/x", "2");
  const auto unpacked = unpack_all({pack("one"), pack("two")});
  ASSERT_FALSE(unpacked);
  EXPECT_EQ(unpacked.error().what, "the packages 'one' and 'two' both hold /usr/bin/x");
}

TEST_F(UnpackTest, WhatIsNoPackageIsRefused) {
  Package package{.name = "one", .version = "1", .architecture = "all"};
  put("archives/" + package.file(), "!<arch>\nshort");
  package.sha256 = "";
  const auto unpacked = unpack_all({package});
  ASSERT_FALSE(unpacked);
  EXPECT_THAT(unpacked.error().what, HasSubstr("is no Debian package"));
}

}  // namespace
}  // namespace domsmith::engine
