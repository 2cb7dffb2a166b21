#include <gmock/gmock.h>

#include "imagebuild/build.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DpkgStatus, InstalledPackagesByName) {
  const auto packages = installed_packages(
      "Package: zlib1g\nStatus: install ok installed\nVersion: 1:1.2.13.dfsg-1\nArchitecture: amd64\n"
      "Description: compression\n Package: not-a-field\n\n"
      "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n\n"
      "Package: half\nStatus: install ok unpacked\nVersion: 1\nArchitecture: all\n\n"
      "Package: adduser\nStatus: hold ok installed\nVersion: 3.134\nArchitecture: all\n");
  EXPECT_THAT(packages, ElementsAre(InstalledPackage{"adduser", "3.134", "all"},
                                    InstalledPackage{"zlib1g", "1:1.2.13.dfsg-1", "amd64"}));
}

TEST(DpkgStatus, EmptyAndOdd) {
  EXPECT_THAT(installed_packages(""), IsEmpty());
  EXPECT_THAT(installed_packages("\n\n\nPackage\nStatus:\n"), IsEmpty());
}

}  // namespace
}  // namespace domsmith
