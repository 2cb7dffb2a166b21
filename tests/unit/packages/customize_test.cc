#include "imagebuild/packages/customize.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/unit/packages/recipes.h"

namespace domsmith::packages {
namespace {

using agent::Step;
using agent::StepKind;
using testing::ElementsAre;
using testing::IsEmpty;

std::size_t position(const std::vector<Step>& steps, const std::string& title) {
  const auto found = std::ranges::find(steps, title, &Step::title);
  EXPECT_NE(found, steps.end()) << title;
  return static_cast<std::size_t>(found - steps.begin());
}

const Step* find_file(const std::vector<Step>& steps, const std::string& path) {
  const auto found =
      std::ranges::find_if(steps, [&](const Step& s) { return s.kind == StepKind::file && s.path == path; });
  return found == steps.end() ? nullptr : &*found;
}

TEST(Customize, ScriptsSeeUsersAndFilesAndFinalComesBehindServices) {
  Recipe all = small_recipe();
  all.users = {make_user("bob")};
  all.files = {make_file("/etc/motd", "x")};
  all.system.services_enable = {"a.service"};
  all.scripts = {make_script(RecipeScript::Phase::final, "late"), make_script(RecipeScript::Phase::customize, "early")};
  const auto steps = customize_steps(all);
  const auto user = position(steps, "user 'bob'");
  const auto file = position(steps, "file '/etc/motd' ([[file]] 1)");
  const auto script = position(steps, "script 'early' ([[script]] 2)");
  const auto service = position(steps, "service 'a.service' (enable)");
  const auto last = position(steps, "script 'late' ([[script]] 1)");
  const auto clean = position(steps, "what belongs to one machine");
  EXPECT_LT(user, file);
  EXPECT_LT(file, script);
  EXPECT_LT(script, service);
  EXPECT_LT(service, last);
  EXPECT_LT(last, clean);
}

TEST(Customize, EveryMachineHasItsFiles) {
  const auto steps = customize_steps(small_recipe());
  ASSERT_NE(find_file(steps, "/etc/hostname"), nullptr);
  EXPECT_EQ(find_file(steps, "/etc/hostname")->input, "web\n");
  EXPECT_EQ(find_file(steps, "/etc/fstab")->input, "/dev/xvda / ext4 errors=remount-ro 0 1\n");
  EXPECT_EQ(find_file(steps, "/etc/default/locale")->input, "LANG=C.UTF-8\n");
}

TEST(Customize, RootOfFstabIsTheKernelsRoot) {
  Recipe labelled = small_recipe();
  labelled.boot.cmdline = "console=hvc0 root=LABEL=dom0 ro";
  EXPECT_EQ(find_file(customize_steps(labelled), "/etc/fstab")->input, "LABEL=dom0 / ext4 errors=remount-ro 0 1\n");
  labelled.boot.cmdline = "console=hvc0";
  labelled.filesystem.label = "r";
  EXPECT_EQ(find_file(customize_steps(labelled), "/etc/fstab")->input, "LABEL=r / ext4 errors=remount-ro 0 1\n");
}

TEST(Customize, AFileOfTheRecipeTakesThePlaceOfTheDefault) {
  Recipe own = small_recipe();
  own.files = {make_file("/etc/fstab", "mine\n")};
  const auto steps = customize_steps(own);
  EXPECT_EQ(std::ranges::count(steps, "/etc/fstab", &Step::path), 1);
  EXPECT_EQ(find_file(steps, "/etc/fstab")->input, "mine\n");
}

TEST(Customize, ResolverOfTheRecipeIsTheLastStep) {
  Recipe own = small_recipe();
  own.files = {make_file("/etc/resolv.conf", "nameserver 192.0.2.1\n")};
  EXPECT_EQ(customize_steps(own).back().path, "/etc/resolv.conf");
  EXPECT_EQ(customize_steps(small_recipe()).back().kind, StepKind::host_files);
}

TEST(Customize, PasswordsGoThroughStdin) {
  Recipe with = small_recipe();
  with.system.root_password = "$6$a$b";
  const auto steps = customize_steps(with);
  const Step& step = steps[position(steps, "password of root")];
  EXPECT_THAT(step.argv, ElementsAre("/usr/sbin/chpasswd", "-e"));
  EXPECT_EQ(step.input, "root:$6$a$b\n");
}

TEST(Customize, RootGetsKeysButIsNotAdded) {
  Recipe with = small_recipe();
  with.users = {make_user("root")};
  with.users[0].ssh_keys = {"ssh-ed25519 AAAA a", "ssh-ed25519 BBBB b"};
  const auto steps = customize_steps(with);
  EXPECT_EQ(std::ranges::count(steps, "user 'root'", &Step::title), 0);
  const Step* keys = find_file(steps, "/root/.ssh/authorized_keys");
  ASSERT_NE(keys, nullptr);
  EXPECT_EQ(keys->input, "ssh-ed25519 AAAA a\nssh-ed25519 BBBB b\n");
  EXPECT_EQ(keys->mode, 0600U);
}

TEST(Customize, SystemUserHasNoHomeUnlessItNeedsOne) {
  Recipe with = small_recipe();
  with.users = {make_user("svc")};
  with.users[0].system = true;
  const auto steps = customize_steps(with);
  EXPECT_THAT(steps[position(steps, "user 'svc'")].argv,
              ElementsAre("/usr/sbin/useradd", "--shell", "/bin/bash", "--home-dir", "/home/svc", "--system",
                          "--user-group", "--no-create-home", "svc"));
}

TEST(Customize, PhasesAreKeptApart) {
  Recipe all = small_recipe();
  all.scripts = {make_script(RecipeScript::Phase::setup, "one")};
  EXPECT_THAT(phase_steps(all, RecipeScript::Phase::essential), IsEmpty());
  const auto setup = phase_steps(all, RecipeScript::Phase::setup);
  ASSERT_EQ(setup.size(), 1U);
  EXPECT_EQ(setup[0].title, "script 'one' ([[script]] 1)");
  EXPECT_EQ(setup[0].input, "#!/bin/sh\n");
}

}  // namespace
}  // namespace domsmith::packages
