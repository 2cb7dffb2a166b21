// What is in an image: packages, the bill of materials, differences.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "imagebuild/extfs/filesystem.h"
#include "provision/images/diff.h"
#include "provision/images/sbom.h"

namespace domsmith {
namespace {

using testing::ElementsAre;

class Image {
 public:
  Image() : target_(memory_target(8U << 20)), files_(*extfs::FileSystem::format(*target_, {.label = "root"})) {
    EXPECT_TRUE(files_.make_directories("/etc"));
  }
  void put(const std::string& path, const std::string& bytes, const extfs::Attributes& attributes = {}) {
    EXPECT_TRUE(files_.write_file(path, bytes, attributes));
  }
  extfs::FileSystem& files() { return files_; }

 private:
  std::unique_ptr<BlockTarget> target_;
  extfs::FileSystem files_;
};

TEST(Installed, IsWhatThePackageManagerLeft) {
  Image none;
  EXPECT_EQ(installed_in(none.files())->kind, "");
  Image pacman;
  ASSERT_TRUE(pacman.files().make_directories("/var/lib/pacman/local/bash-5.2-1"));
  pacman.put("/var/lib/pacman/local/bash-5.2-1/desc", "%NAME%\nbash\n\n%VERSION%\n5.2-1\n\n%ARCH%\nx86_64\n");
  pacman.put("/var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
  const auto arch = installed_in(pacman.files());
  ASSERT_TRUE(arch);
  EXPECT_EQ(arch->kind, "alpm");
  EXPECT_THAT(arch->packages, ElementsAre(InstalledPackage{"bash", "5.2-1", "x86_64"}));
  Image rpm;
  ASSERT_TRUE(rpm.files().make_directories("/usr/lib/domsmith"));
  rpm.put(rpm_list_path, R"([{"name":"zsh","version":"1:5","architecture":"noarch"}])");
  EXPECT_THAT(installed_in(rpm.files())->packages, ElementsAre(InstalledPackage{"zsh", "1:5", "noarch"}));
  rpm.put(rpm_list_path, R"([{"name":5}])");
  EXPECT_EQ(installed_in(rpm.files()).error().code, ErrorCode::bad_input);
}

TEST(Installed, KnowsTheSourcesOfApt) {
  Image debian;
  ASSERT_TRUE(debian.files().make_directories("/var/lib/dpkg"));
  ASSERT_TRUE(debian.files().make_directories("/etc/apt/sources.list.d"));
  debian.put("/var/lib/dpkg/status", "");
  EXPECT_THAT(installed_in(debian.files())->sources, ElementsAre());
  debian.put("/etc/apt/sources.list", "deb http://me:secret@deb.example bookworm main\n");
  debian.put("/etc/apt/sources.list.d/ledger.sources",
             "Types: deb\nURIs: https://ledger.example\nSuites: ./\nSigned-By: /etc/apt/keyrings/ledger.asc\n");
  debian.put("/etc/apt/sources.list.d/broken.list", "nonsense\n");
  debian.put("/etc/apt/sources.list.d/ledger.save", "deb https://old.example x main\n");
  EXPECT_THAT(installed_in(debian.files())->sources,
              ElementsAre("deb http://me:***@deb.example bookworm main",
                          "deb [signed-by=/etc/apt/keyrings/ledger.asc] https://ledger.example ./"));
}

TEST(Bill, NamesEachPackageByItsUrl) {
  ImageRecord image;
  image.name = "web";
  image.version = "1";
  image.distribution = "debian";
  image.release = "bookworm";
  image.filesystem_uuid = "0fc63daf-8483-4772-8e79-3d69d8477de4";
  const Installed installed{.kind = "deb",
                            .packages = {{"g++", "4:12.2.0-3~x", "amd64"}},
                            .sources = {"deb https://ledger.example stable main"}};
  const nlohmann::json bill = bill_of_materials(image, installed);
  EXPECT_EQ(bill["bomFormat"], "CycloneDX");
  EXPECT_EQ(bill["specVersion"], "1.5");
  ASSERT_EQ(bill["components"].size(), 1U);
  EXPECT_EQ(bill["components"][0]["purl"], "pkg:deb/debian/g%2B%2B@4%3A12.2.0-3~x?arch=amd64&distro=debian-bookworm");
  EXPECT_EQ(bill["metadata"]["component"]["properties"].back(),
            (nlohmann::json{{"name", "domsmith:apt-source"}, {"value", "deb https://ledger.example stable main"}}));
  EXPECT_EQ(bill["metadata"]["tools"]["components"][0]["name"], "domsmith");
}

TEST(Diff, OfPackages) {
  EXPECT_THAT(diff_packages({{"a", "1", "amd64"}, {"b", "1", "amd64"}, {"c", "1", "all"}},
                            {{"a", "2", "amd64"}, {"c", "1", "all"}, {"d", "1", "amd64"}, {"a", "1", "i386"}}),
              ElementsAre(PackageChange{"a", "1", "2"}, PackageChange{"a", "", "1"}, PackageChange{"b", "1", ""},
                          PackageChange{"d", "", "1"}));
}

TEST(Diff, OfFiles) {
  Image before;
  Image after;
  for (Image* image : {&before, &after}) {
    image->put("/etc/same", "x");
  }
  before.put("/etc/content", "one");
  after.put("/etc/content", "two");
  before.put("/etc/longer", "1");
  after.put("/etc/longer", "12");
  before.put("/etc/mode", "x", {.mode = 0644});
  after.put("/etc/mode", "x", {.mode = 0600});
  before.put("/etc/owner", "x");
  after.put("/etc/owner", "x", {.uid = 5});
  before.put("/etc/gone", "x");
  after.put("/etc/new", "x");
  before.put("/etc/type", "x");
  ASSERT_TRUE(after.files().symlink("/etc/type", "x"));
  ASSERT_TRUE(before.files().symlink("/etc/link", "a"));
  ASSERT_TRUE(after.files().symlink("/etc/link", "b"));
  const auto changes = diff_files(before.files(), after.files());
  ASSERT_TRUE(changes);
  EXPECT_THAT(*changes,
              ElementsAre(FileChange{"/etc/content", "content"}, FileChange{"/etc/gone", "removed"},
                          FileChange{"/etc/link", "link a -> b"}, FileChange{"/etc/longer", "content, 1 -> 2 bytes"},
                          FileChange{"/etc/mode", "mode 0644 -> 0600"}, FileChange{"/etc/new", "added"},
                          FileChange{"/etc/owner", "owner 0:0 -> 5:0"}, FileChange{"/etc/type", "file -> link"}));
}

}  // namespace
}  // namespace domsmith
