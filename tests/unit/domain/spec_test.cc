#include "provision/domain/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_spec.h"

namespace domsmith {
namespace {

using ::testing::HasSubstr;

void expect_fault(const DomainSpec& spec, const std::string& part) {
  const auto result = validate(spec);
  ASSERT_FALSE(result.has_value()) << "accepted, expected: " << part;
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  EXPECT_THAT(result.error().what, HasSubstr(part));
  EXPECT_EQ(result.error().what.find('\n'), std::string::npos);
}

TEST(Spec, SampleIsValid) { EXPECT_TRUE(validate(sample_spec()).has_value()); }

TEST(Spec, NamesThatAreNone) {
  for (const std::string& name :
       {std::string(), std::string("Web"), std::string("a b"), std::string("a\nb"), std::string("a\"b"),
        std::string("../etc"), std::string("-a"), std::string("ü"), std::string(10240, 'a'), std::string("a\0b", 3)}) {
    auto spec = sample_spec();
    spec.name = name;
    expect_fault(spec, "the name cannot be a guest's");
  }
}

TEST(Spec, PathsThatAreNone) {
  for (const auto* path : {"", "vmlinuz", "/", "/boot/../etc/shadow", "/boot//vmlinuz", "/boot/./x", "/boot/"}) {
    auto spec = sample_spec();
    spec.kernel = path;
    expect_fault(spec, "the path of the kernel is not absolute and normal");
    spec = sample_spec();
    spec.disks[0].target = path;
    expect_fault(spec, "the path of the disk is not absolute and normal");
  }
  auto spec = sample_spec();
  spec.ramdisk = "/boot/a\nkernel=\"/evil\"";
  expect_fault(spec, "control character");
}

TEST(Spec, DiskPathsThatScriptsCouldMisread) {
  for (const auto* path :
       {"/a$(reboot)", "/a`b`", "/a\"b", "/a'b", "/a\\b", "/a*", "/a[0]", "/a;b", "/a|b", "/a,", "/a "}) {
    auto spec = sample_spec();
    spec.disks[0].target = path;
    expect_fault(spec, "a character that Xen's scripts could misread");
  }
}

TEST(Spec, SizesThatCannotBe) {
  auto spec = sample_spec();
  spec.memory_mib = 0;
  expect_fault(spec, "memory 0 MiB");
  spec = sample_spec();
  spec.maxmem_mib = 128;
  expect_fault(spec, "maximum of 128 MiB");
  spec = sample_spec();
  spec.vcpus = 0;
  expect_fault(spec, "0 virtual CPUs");
  spec.vcpus = 129;
  expect_fault(spec, "129 virtual CPUs");
}

TEST(Spec, CommandLines) {
  auto spec = sample_spec();
  spec.cmdline = "a\nb";
  expect_fault(spec, "printable ASCII");
  spec.cmdline = std::string(2047, 'x');
  EXPECT_TRUE(validate(spec).has_value());
  spec.type = DomainType::pv;
  expect_fault(spec, "more than the 1023 that a PV guest is given");
}

TEST(Spec, DevicesThatCollide) {
  auto spec = sample_spec();
  spec.disks.push_back(spec.disks[0]);
  expect_fault(spec, "two disks are called 'xvda'");
  EXPECT_EQ(validate(spec).error().others.size(), 1U) << "the same target twice is a fault of its own";
  spec = sample_spec();
  spec.vifs.push_back(spec.vifs[0]);
  expect_fault(spec, "two interfaces have the MAC address 00:16:3e:01:02:03");
}

TEST(Spec, AllFaultsInOneRun) {
  auto spec = sample_spec();
  spec.uuid = "no";
  spec.kernel = "no";
  spec.vcpus = 0;
  spec.disks[0].vdev = "no";
  spec.vifs[0].mac = "no";
  const auto result = validate(spec);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().others.size(), 4U);
}

TEST(Spec, MacAddresses) {
  EXPECT_EQ(parse_mac("00:16:3E:AA:bb:0c").value(), "00:16:3e:aa:bb:0c");
  EXPECT_EQ(parse_mac("02:00:00:00:00:01").value(), "02:00:00:00:00:01") << "locally administered";
  for (const auto* text : {"", "00:16:3e:aa:bb", "00:16:3e:aa:bb:0g", "00-16-3e-aa-bb-0c", "00:16:3e:aa:bb:0c "}) {
    EXPECT_FALSE(parse_mac(text).has_value()) << text;
  }
  EXPECT_THAT(parse_mac("01:16:3e:00:00:01").error().what, HasSubstr("multicast"));
  EXPECT_THAT(parse_mac("ff:ff:ff:ff:ff:ff").error().what, HasSubstr("multicast"));
  EXPECT_FALSE(parse_mac("00:00:00:00:00:00").has_value());
}

TEST(Spec, RatesAsLibxlCountsThem) {
  const auto rate = parse_vif_rate("100Mb/s");
  ASSERT_TRUE(rate.has_value());
  EXPECT_EQ(rate->interval_usecs, 50000U);
  EXPECT_EQ(rate->bytes_per_interval, 625000U);
  EXPECT_EQ(parse_vif_rate("1MB/s@20ms").value().bytes_per_interval, 20000U);
  for (const auto* text :
       {"", "fast", "100", "1Mb/s@", "0Mb/s", "010Mb/s", "1Mb/s, bridge=x", "99999999999999999999Gb/s", "1b/s"}) {
    EXPECT_FALSE(parse_vif_rate(text).has_value()) << text;
  }
}

TEST(Spec, BridgesAndScripts) {
  EXPECT_TRUE(check_bridge("xenbr0").has_value());
  EXPECT_TRUE(check_vif_script("vif-bridge").has_value());
  EXPECT_TRUE(check_vif_script("/usr/local/lib/xen/vif-mine").has_value());
  for (const auto* bridge : {"", "..", "a b", "a,mac=00", "br0\n", "sixteen-letters0", "-x", "a/b"}) {
    EXPECT_FALSE(check_bridge(bridge).has_value()) << bridge;
  }
  for (const auto* script : {"", "a b", "../x", "x;y", "/a/../b", "-rf"}) {
    EXPECT_FALSE(check_vif_script(script).has_value()) << script;
  }
}

}  // namespace
}  // namespace domsmith
