#include "imagebuild/boot/kernel_choice.h"

#include <gtest/gtest.h>

namespace domsmith::boot {
namespace {

constexpr const char* status =
    "Package: linux-image-amd64\nStatus: install ok installed\nDepends: linux-image-6.1.0-56-amd64 (= 6.1.176-1)\n\n"
    "Package: linux-image-cloud-amd64\nDepends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.176-1), initramfs-tools\n\n"
    "Package: other\nDepends: linux-image-7.0-amd64\n";
const std::vector<std::string> versions{"6.1.0-56-amd64", "6.1.0-56-cloud-amd64", "6.1.0-9-amd64", "7.0-amd64"};

TEST(ChooseKernel, TheOneThatThePackageDependsOn) {
  EXPECT_EQ(choose_kernel(versions, "linux-image-amd64", status), "6.1.0-56-amd64");
  EXPECT_EQ(choose_kernel(versions, "linux-image-cloud-amd64", status), "6.1.0-56-cloud-amd64");
}

TEST(ChooseKernel, TheOneThatThePackageIs) {
  EXPECT_EQ(choose_kernel(versions, "linux-image-6.1.0-9-amd64", status), "6.1.0-9-amd64");
  EXPECT_EQ(choose_kernel(versions, "linux-image-6.1.0-9-amd64-unsigned", status), "6.1.0-9-amd64");
}

TEST(ChooseKernel, TheNewestWhereThePackageSaysNothing) {
  EXPECT_EQ(choose_kernel(versions, "my-kernel", status), "7.0-amd64");
  EXPECT_EQ(choose_kernel({"6.1.0-9-amd64", "6.1.0-10-amd64"}, "linux-image-amd64", ""), "6.1.0-10-amd64");
  EXPECT_EQ(choose_kernel({}, "linux-image-amd64", status), "");
}

}  // namespace
}  // namespace domsmith::boot
