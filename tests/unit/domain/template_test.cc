#include "provision/domain/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error_text.h"
#include "base/file.h"
#include "sample_spec.h"

namespace domsmith {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* shipped = DOMSMITH_SOURCE_DIR "/templates";

GuestFacts facts() {
  const auto sample = sample_spec();
  return {.name = sample.name,
          .uuid = sample.uuid,
          .kernel = sample.kernel,
          .ramdisk = sample.ramdisk,
          .cmdline = sample.cmdline,
          .disks = sample.disks,
          .macs = {sample.vifs[0].mac},
          .default_bridge = "xenbr0",
          .autostart = false};
}

TEST(Template, TheShippedOnesAreGood) {
  const auto templates = load_templates(shipped);
  ASSERT_TRUE(templates.has_value()) << error_text(templates.error());
  std::vector<std::string> names;
  for (const auto& one : *templates) {
    names.push_back(one.name);
    EXPECT_EQ(one.type == DomainType::pv, one.name.ends_with("-pv")) << one.name;
    EXPECT_FALSE(one.description.empty()) << one.name;
    EXPECT_TRUE(make_domain_spec(one, facts()).has_value()) << one.name;
  }
  EXPECT_THAT(names, ElementsAre("medium", "medium-pv", "small", "small-pv", "tiny", "tiny-pv"));
}

TEST(Template, EverythingItMaySay) {
  const auto made = parse_template(R"(schema = 1
description = "All of it"
[domain]
type = "pv"
memory = "512MiB"
maxmem = "1GiB"
vcpus = 3
tsc_mode = "native"
cmdline = "quiet"
[events]
on_poweroff = "preserve"
on_reboot = "destroy"
on_crash = "coredump-restart"
[[vif]]
[[vif]]
bridge = "br1"
script = "vif-route"
rate = "10Mb/s"
)",
                                   "all.toml");
  ASSERT_TRUE(made.has_value()) << error_text(made.error());
  auto guest = facts();
  guest.macs.emplace_back("00:16:3e:00:00:02");
  const auto spec = make_domain_spec(*made, guest);
  ASSERT_TRUE(spec.has_value()) << error_text(spec.error());
  auto expected = sample_spec();
  expected.type = DomainType::pv;
  expected.memory_mib = 512;
  expected.maxmem_mib = 1024;
  expected.vcpus = 3;
  expected.tsc = TscMode::native;
  expected.cmdline += " quiet";
  expected.on_poweroff = DomainAction::preserve;
  expected.on_reboot = DomainAction::destroy;
  expected.on_crash = DomainAction::coredump_restart;
  expected.vifs.push_back({.mac = "00:16:3e:00:00:02", .bridge = "br1", .script = "vif-route", .rate = "10Mb/s"});
  EXPECT_EQ(*spec, expected);
}

TEST(Template, Defaults) {
  const auto made = parse_template("[domain]\nmemory = \"64MiB\"\n", "least.toml").value();
  EXPECT_EQ(made.name, "least");
  EXPECT_EQ(made.type, DomainType::pvh);
  EXPECT_EQ(made.maxmem, 64U << 20);
  EXPECT_EQ(made.vcpus, 1U);
  EXPECT_EQ(made.vifs.size(), 1U);
  EXPECT_EQ(made.on_reboot, DomainAction::restart);
  EXPECT_EQ(parse_template("[domain]\nmemory = \"64MiB\"\nnetwork = false\n", "x.toml").value().vifs.size(), 0U);
}

TEST(Template, AllFaultsInOneRunWithTheirPlaces) {
  const auto result = parse_template(R"([domain]
type = "hvm"
memory = "100KiB"
vcpus = 0
bootloader = "pygrub"
[events]
on_crash = "explode"
[[vif]]
brige = "x"
rate = "fast"
)",
                                     "templates/bad.toml");
  ASSERT_FALSE(result.has_value());
  const auto text = error_text(result.error());
  EXPECT_EQ(result.error().others.size(), 6U) << text;
  for (const auto* part : {"templates/bad.toml:2:", "templates/bad.toml:3:", "templates/bad.toml:4:", "'bootloader'",
                           "templates/bad.toml:7:", "did you mean 'bridge'?", "templates/bad.toml:10:"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(Template, WhatOneKeyAloneCannotTell) {
  const auto less = parse_template("[domain]\nmemory = \"64MiB\"\nmaxmem = \"32MiB\"\n", "x.toml");
  ASSERT_FALSE(less.has_value());
  EXPECT_EQ(less.error().where->line, 3U);
  const auto both = parse_template("[domain]\nmemory = \"64MiB\"\nnetwork = false\n[[vif]]\n", "x.toml");
  ASSERT_FALSE(both.has_value());
  EXPECT_EQ(both.error().where->line, 4U);
}

TEST(Template, FilesWhoseNameIsNone) {
  EXPECT_THAT(parse_template("[domain]\nmemory = \"64MiB\"\n", "My Template.toml").error().what,
              HasSubstr("named by its file"));
}

TEST(Template, FaultsOfAllFilesComeTogether) {
  const auto temporary = TemporaryDirectory::make().value();
  ASSERT_TRUE(write_file_atomic(temporary.path() / "a.toml", "x = 1\n").has_value());
  ASSERT_TRUE(write_file_atomic(temporary.path() / "b.toml", "[domain]\n").has_value());
  ASSERT_TRUE(write_file_atomic(temporary.path() / "c.toml", "[domain]\nmemory = \"64MiB\"\n").has_value());
  const auto result = load_templates(temporary.path());
  ASSERT_FALSE(result.has_value());
  const auto text = error_text(result.error());
  EXPECT_THAT(text, HasSubstr("a.toml:1:1"));
  EXPECT_THAT(text, HasSubstr("b.toml"));
  EXPECT_TRUE(load_template(temporary.path(), "c").has_value()) << "one bad file does not spoil the others";
}

TEST(Template, UnknownNames) {
  const auto result = load_template(shipped, "smal");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  EXPECT_THAT(result.error().what, HasSubstr("did you mean 'small'?"));
  EXPECT_THAT(result.error().remedy, HasSubstr("medium-pv"));
  EXPECT_EQ(load_templates("/nonexistent/templates").error().code, ErrorCode::not_found);
}

TEST(Template, MacsMustFitTheInterfaces) {
  const auto tiny = load_template(shipped, "tiny").value();
  auto guest = facts();
  guest.macs.clear();
  EXPECT_THAT(make_domain_spec(tiny, guest).error().what, HasSubstr("has 1 network interfaces"));
}

TEST(Template, SchemaNamesItsKeys) {
  const auto schema = template_schema_json();
  for (const auto* key : {"\"memory\"", "\"on_crash\"", "\"bridge\"", "\"pvh\""}) {
    EXPECT_THAT(schema, HasSubstr(key));
  }
}

TEST(Template, WithoutItsFolderSaysWhereItLookedAndWhatHelps) {
  const auto missing = load_template("/nowhere/share/domsmith/templates", "small");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_THAT(missing.error().what, ::testing::HasSubstr("/nowhere/share/domsmith/templates"));
  EXPECT_THAT(missing.error().remedy, ::testing::HasSubstr("install domsmith"));
  EXPECT_THAT(missing.error().remedy, ::testing::HasSubstr("--config"));
}

}  // namespace
}  // namespace domsmith
