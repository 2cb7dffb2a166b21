#include "imagebuild/packages/plan.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error_text.h"
#include "imagebuild/recipe/parse.h"
#include "tests/unit/golden.h"
#include "tests/unit/packages/recipes.h"

namespace domsmith::packages {
namespace {

using testing::HasSubstr;
using testing::Not;

HostFacts host() {
  return {.root = true,
          .architecture = "amd64",
          .sources = {{"http://deb.debian.org/debian", "bookworm", {"main"}, "/k.gpg", false, "f:1", {}},
                      {"http://deb.debian.org/debian", "bookworm-updates", {"main"}, "/k.gpg", false, "f:1", {}}},
          .environment = {}};
}

Recipe rich_recipe() {
  Recipe out = small_recipe();
  out.packages.remove = {"nano"};
  out.packages.recommends = true;
  out.system.locale = "de_DE.UTF-8";
  out.system.timezone = "Europe/Berlin";
  out.system.root_password = "$6$salt$hunter2";
  out.system.services_enable = {"nginx.service"};
  out.system.services_mask = {"apt-daily.timer"};
  out.users = {make_user("deploy")};
  out.users[0].uid = 1500;
  out.users[0].groups = {"sudo", "www-data"};
  out.users[0].password = "$6$salt$other";
  out.users[0].ssh_keys = {"ssh-ed25519 AAAA me"};
  out.files = {make_file("/etc/motd", "hello\n"), make_file("/etc/resolv.conf", "nameserver 192.0.2.1\n")};
  out.scripts = {make_script(RecipeScript::Phase::setup, "early"), make_script(RecipeScript::Phase::essential, "base"),
                 make_script(RecipeScript::Phase::customize, "setup.sh"),
                 make_script(RecipeScript::Phase::final, "last")};
  return out;
}

void expect_golden(const std::string& text, const std::string& name) {
  golden::expect_text(std::string(DOMSMITH_SOURCE_DIR "/tests/unit/packages/golden/") + name, text);
}

TEST(PackagePlan, SmallRecipe) {
  const auto plan = plan_packages(small_recipe(), host());
  ASSERT_TRUE(plan);
  expect_golden(plan_text(*plan), "small.txt");
}

TEST(PackagePlan, RecipeThatSaysEverything) {
  auto ordinary = host();
  ordinary.root = false;
  ordinary.environment = {"http_proxy=http://proxy:3128"};
  const auto plan = plan_packages(rich_recipe(), ordinary);
  ASSERT_TRUE(plan);
  expect_golden(plan_text(*plan), "rich.txt");
}

// As `recipe check` reads it, on a Debian.
PackagePlan plan_of(const std::string& text) {
  const auto recipe = parse_recipe(text, "recipe.toml");
  EXPECT_TRUE(recipe) << error_text(recipe.error());
  auto plan = plan_packages(*recipe, host());
  EXPECT_TRUE(plan) << error_text(plan.error());
  return std::move(*plan);
}

constexpr const char* other_image = "[image]\nname = \"web\"\narchitecture = \"amd64\"\n";

TEST(PackagePlan, OfUbuntuOnAnotherHost) {
  const PackagePlan plan = plan_of(std::string(other_image) +
                                   "[distribution]\nname = \"ubuntu\"\nrelease = \"noble\"\n"
                                   "components = [\"main\", \"universe\"]\n"
                                   "[system.services]\nenable = [\"nginx.service\"]\n");
  expect_golden(plan_text(plan), "ubuntu.txt");
}

TEST(PackagePlan, OfDevuanOnAnotherHost) {
  const PackagePlan plan = plan_of(std::string(other_image) +
                                   "[distribution]\nname = \"devuan\"\nrelease = \"daedalus\"\n"
                                   "[system.services]\nenable = [\"nginx\"]\n");
  expect_golden(plan_text(plan), "devuan.txt");
}

TEST(PackagePlan, AMirrorOfUbuntusIsCheckedWithUbuntusKeys) {
  const PackagePlan plan = plan_of(std::string(other_image) +
                                   "[distribution]\nname = \"ubuntu\"\nrelease = \"noble\"\n"
                                   "mirror = [\"http://mirror.example/ubuntu\", "
                                   "\"deb [signed-by=/k.gpg] http://x.example noble main\"]\n");
  ASSERT_EQ(plan.sources.size(), 2U);
  EXPECT_EQ(plan.sources[0].line(),
            "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://mirror.example/ubuntu noble main");
  EXPECT_EQ(plan.sources[1].line(), "deb [signed-by=/k.gpg] http://x.example noble main");
}

TEST(PackagePlan, SecretsAndFilesAreNoArguments) {
  const auto plan = plan_packages(rich_recipe(), host());
  ASSERT_TRUE(plan);
  for (const std::string& text : {plan_text(*plan), plan_json(*plan).dump()}) {
    EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    EXPECT_THAT(text, Not(HasSubstr("AAAA")));
    EXPECT_THAT(text, Not(HasSubstr("#!/bin/sh")));
  }
}

TEST(PackagePlan, PasswordsOfMirrorsAndProxiesAreNotShown) {
  Recipe recipe = small_recipe();
  recipe.distribution.mirrors = {"http://me:hunter2@mirror/debian"};
  HostFacts behind_proxy = host();
  behind_proxy.environment = {"http_proxy=http://me:hunter2@proxy:3128"};
  const auto plan = plan_packages(recipe, behind_proxy);
  ASSERT_TRUE(plan);
  for (const std::string& text : {plan_text(*plan), plan_json(*plan).dump()}) {
    EXPECT_THAT(text, Not(HasSubstr("hunter2")));
    EXPECT_THAT(text, HasSubstr("http://me:***@mirror/debian"));
    EXPECT_THAT(text, HasSubstr("http://me:***@proxy:3128"));
  }
  EXPECT_THAT(plan->sources.at(0).line(), HasSubstr("me:hunter2@mirror")) << "apt needs them";
}

TEST(PackagePlan, ImageWithoutKernelHasNoInit) {
  Recipe bare = small_recipe();
  bare.boot.kernel = "none";
  const auto plan = plan_packages(bare, host());
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->packages, testing::ElementsAre("tzdata", "nginx-light", "curl"));
}

TEST(PackagePlan, WhatTheRecipeRemovesIsNotInstalledFirst) {
  Recipe lean = small_recipe();
  lean.packages.remove = {"tzdata", "init"};
  const auto plan = plan_packages(lean, host());
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->packages, testing::ElementsAre("linux-image-amd64", "nginx-light", "curl"));
}

TEST(PackagePlan, PackagesOfAnotherArchitecture) {
  Recipe mixed = small_recipe();
  mixed.packages.install = {"libc6:i386=2.36-9", "wine:i386/bookworm", "curl:any", "bash:amd64"};
  const auto plan = plan_packages(mixed, host());
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->architectures, testing::ElementsAre("amd64", "i386"));
}

TEST(PackagePlan, RefusesWhatCannotWork) {
  Recipe foreign = small_recipe();
  foreign.image.architecture = "arm64";
  const auto other_machine = plan_packages(foreign, host());
  ASSERT_FALSE(other_machine);
  EXPECT_EQ(other_machine.error().what, "cannot build for arm64 on a machine of amd64");
  for (const char* name : {"", "a,b", "?essential", "-y", "./x.deb", "a b", "~n.", "/tmp/x.deb"}) {
    Recipe odd = small_recipe();
    odd.packages.install = {name};
    const auto plan = plan_packages(odd, host());
    ASSERT_FALSE(plan) << name;
    EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  }
}

}  // namespace
}  // namespace domsmith::packages
