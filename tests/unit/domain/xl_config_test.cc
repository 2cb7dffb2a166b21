#include "provision/domain/xl_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "sample_spec.h"

namespace domsmith {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// DOMSMITH_UPDATE_GOLDEN=1 writes the file anew, for a person to look at with git diff.
void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::string(DOMSMITH_SOURCE_DIR) + "/tests/golden/domain/" + name;
  if (std::getenv("DOMSMITH_UPDATE_GOLDEN") != nullptr) {
    ASSERT_TRUE(write_file_atomic(path, text).has_value());
  }
  EXPECT_EQ(read_file(path).value_or("(no such file)"), text);
}

DomainSpec elaborate_spec() {
  auto spec = sample_spec();
  spec.type = DomainType::pv;
  spec.maxmem_mib = 1024;
  spec.vcpus = 4;
  spec.tsc = TscMode::native;
  spec.ramdisk.clear();
  spec.cmdline = R"(root=/dev/xvda init="/bin/sh -c 'echo %s [x], # not a comment'" a\b)";
  spec.disks = {{.target = "/srv/my store/clones/a,b=c.img", .vdev = "xvda", .writable = true, .phy = false},
                {.target = "/dev/vg0/data", .vdev = "xvdb1", .writable = false, .phy = true}};
  spec.vifs = {{.mac = "00:16:3e:01:02:03", .bridge = "xenbr0", .script = "", .rate = "100Mb/s"},
               {.mac = "02:00:00:00:00:01", .bridge = "", .script = "vif-route", .rate = ""}};
  spec.on_poweroff = DomainAction::preserve;
  spec.on_crash = DomainAction::coredump_restart;
  return spec;
}

TEST(XlConfig, TextOfAPlainGuest) { expect_golden("plain.cfg", xl_config_text(sample_spec())); }
TEST(XlConfig, TextOfAnElaborateGuest) { expect_golden("elaborate.cfg", xl_config_text(elaborate_spec())); }

TEST(XlConfig, TextOfAGuestWithoutDevices) {
  auto spec = sample_spec();
  spec.disks.clear();
  spec.vifs.clear();
  expect_golden("no-devices.cfg", xl_config_text(spec));
}

TEST(XlConfig, AnUnknownTscModeIsNotPassedOver) {
  const auto read = parse_xl_config(xl_config_text(sample_spec()) + "tsc_mode = \"native_paravirt\"\n", "x.cfg");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().what, "x.cfg: domsmith cannot do tsc_mode = 'native_paravirt'");
}

TEST(XlConfig, ReadsBackWhatItWrote) {
  for (const auto& spec : {sample_spec(), elaborate_spec()}) {
    const auto text = checked_xl_config(spec);
    ASSERT_TRUE(text.has_value()) << text.error().what;
    EXPECT_EQ(parse_xl_config(*text, "x.cfg").value(), spec);
    EXPECT_TRUE(written_by_domsmith(*text));
  }
}

TEST(XlConfig, ReadsAnEditedFile) {
  auto text = xl_config_text(sample_spec());
  text.replace(text.find("memory      = 256"), 17, "memory=0x80  # less");
  text += "vcpus = '2'; on_crash = 'preserve'";
  const auto spec = parse_xl_config(text, "web-1.cfg");
  ASSERT_TRUE(spec.has_value()) << spec.error().what;
  EXPECT_EQ(spec->memory_mib, 128U);
  EXPECT_EQ(spec->vcpus, 2U);
  EXPECT_EQ(spec->on_crash, DomainAction::preserve);
}

TEST(XlConfig, SyntaxErrorsHaveTheirPlace) {
  const auto result = parse_xl_config("name = \"a\"\n  memory = = 3\nvif = [ 'x'\n", "/etc/xen/a.cfg");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  ASSERT_TRUE(result.error().where.has_value());
  EXPECT_EQ(result.error().where->file, "/etc/xen/a.cfg");
  EXPECT_EQ(result.error().where->line, 2U);
  EXPECT_EQ(result.error().where->text, "  memory = = 3");
  EXPECT_THAT(result.error().what, HasSubstr("syntax error"));
}

TEST(XlConfig, ValuesOfAnotherKind) {
  EXPECT_FALSE(parse_xl_config("name = [ 'a' ]\n", "a.cfg").has_value());
  const auto result = parse_xl_config("name = 'a'\nmemory = 'much'\n", "a.cfg");
  ASSERT_FALSE(result.has_value());
  ASSERT_TRUE(result.error().where.has_value());
  EXPECT_EQ(result.error().where->line, 2U);
}

TEST(XlConfig, KeysThatItWouldHaveToDropAreNamed) {
  const auto text = xl_config_text(sample_spec()) + "bootloader = \"pygrub\"\ncpus = '0-1'\n";
  const auto result = parse_xl_config(text, "/etc/xen/web-1.cfg");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::unsupported);
  EXPECT_THAT(result.error().what, HasSubstr("'bootloader'"));
  ASSERT_EQ(result.error().others.size(), 1U);
  EXPECT_THAT(result.error().others[0].what, HasSubstr("'cpus'"));
  EXPECT_EQ(result.error().remedy, "start this guest with: xl create /etc/xen/web-1.cfg");
}

TEST(XlConfig, DevicesThatItWouldHaveToDropAreNamed) {
  const auto with = [](const std::string& line) {
    return parse_xl_config(xl_config_text(sample_spec()) + line, "a.cfg");
  };
  for (const auto* line : {"disk = [ 'format=qcow2,vdev=xvda,access=rw,target=/a' ]",
                           "disk = [ 'script=x,vdev=xvda,access=rw,target=/a' ]", "disk = [ '/a,raw,hdc,cdrom' ]",
                           "vif = [ 'mac=00:16:3e:01:02:03,model=e1000' ]", "vif = [ 'type=ioemu' ]", "type = 'hvm'",
                           "on_crash = 'rename-restart'"}) {
    const auto result = with(std::string(line) + "\n");
    ASSERT_FALSE(result.has_value()) << line;
    EXPECT_EQ(result.error().code, ErrorCode::unsupported) << line << ": " << result.error().what;
  }
}

TEST(XlConfig, WhatXlsOwnGrammarRefuses) {
  for (const std::string& text :
       {std::string("import os\n"), std::string("name = 'a\n"), std::string("name = \"\\q\"\n"), std::string("a\0b", 3),
        std::string("disk = [ 'vdev=xvda' \n"), std::string("]"), std::string((1U << 20) + 1, '\n')}) {
    EXPECT_FALSE(parse_xl_config(text, "a.cfg").has_value());
    EXPECT_FALSE(read_xl_config_facts(text, "a.cfg").has_value());
  }
}

TEST(XlConfig, FactsOfAnybodysFile) {
  const auto facts = read_xl_config_facts(
      "name = 'old'\nuuid='8AD2A4E8-3f0c-4f62-9c39-0b8f5ab3a5d1'\nbootloader = 'pygrub'\n"
      "vif = [ 'ip=10.0.0.1,mac=0:16:3E:1:2:a', '', 'mac=nonsense', 'mac=00:16:3e:ff:ff:fe, bridge=x' ]\n"
      "disk = [ 'phy:/dev/vg/old,xvda,w', 'file:/srv/a.img,hda,r', 'format=nonsense,/x' ]\n",
      "old.cfg");
  ASSERT_TRUE(facts.has_value()) << facts.error().what;
  EXPECT_EQ(facts->name, "old");
  EXPECT_EQ(facts->uuid, "8ad2a4e8-3f0c-4f62-9c39-0b8f5ab3a5d1");
  EXPECT_THAT(facts->macs, ElementsAre("00:16:3e:01:02:0a", "00:16:3e:ff:ff:fe"));
  EXPECT_THAT(facts->targets, ElementsAre("/dev/vg/old", "/srv/a.img"));
}

TEST(XlConfig, NothingIsPrinted) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  static_cast<void>(parse_xl_config("= nonsense [\n", "a.cfg"));
  static_cast<void>(parse_xl_config("name = [ ]\ndisk = [ 'format=nonsense' ]\n", "a.cfg"));
  static_cast<void>(parse_vif_rate("nonsense"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace
}  // namespace domsmith
