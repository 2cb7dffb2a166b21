#include "imagebuild/engine/install_order.h"

#include <gmock/gmock.h>

namespace domsmith::engine {
namespace {

PackageFacts fact(std::string name, Role role, const std::string& fields) {
  PackageFacts facts{.package = {}, .control = "Package: " + name + "\n" + fields};
  facts.package.name = std::move(name);
  facts.package.role = role;
  return facts;
}

std::vector<PackageFacts> sample() {
  return {fact("base", Role::essential, "Depends: libc\n"),
          fact("libc", Role::essential, ""),
          fact("mount", Role::required, "Depends: libmount | other\n"),
          fact("libmount", Role::dependency, ""),
          fact("web", Role::wanted, "Depends: libssl, ssl-tool\nPre-Depends: adduser\nRecommends: web-doc\n"),
          fact("adduser", Role::dependency, "Depends: passwd\n"),
          fact("passwd", Role::dependency, ""),
          fact("libssl", Role::dependency, ""),
          fact("openssl", Role::dependency, "Provides: ssl-tool\nDepends: libssl\n"),
          fact("tool", Role::wanted, "Depends: libssl\n"),
          fact("web-doc", Role::dependency, "")};
}

// "base libc | web: adduser passwd / libssl openssl web | tool: tool"
std::string shown(const std::vector<PackageFacts>& facts, const InstallOrder& order) {
  std::string text = "base:";
  for (const std::size_t i : order.base) {
    text += " " + facts[i].package.name;
  }
  for (const InstallGroup& group : order.groups) {
    text += " | " + group.name + ":";
    for (std::size_t i = 0; i < group.batches.size(); ++i) {
      text += i > 0 ? " /" : "";
      for (const std::size_t member : group.batches[i]) {
        text += " " + facts[member].package.name;
      }
    }
  }
  return text;
}

TEST(InstallOrder, BaseThenAGroupForEachName) {
  const auto facts = sample();
  EXPECT_EQ(shown(facts, order_installation(facts, {"web=1.2", "tool"}, false, false)),
            "base: base libc mount libmount | web: adduser passwd / web libssl openssl | tool: tool | "
            "other packages: web-doc");
}

TEST(InstallOrder, WhatIsRecommendedBelongsToItsGroup) {
  const auto facts = sample();
  EXPECT_EQ(shown(facts, order_installation(facts, {"tool", "web"}, true, false)),
            "base: base libc mount libmount | tool: libssl tool | web: adduser passwd / web openssl web-doc");
}

TEST(InstallOrder, OnlyTheEssentialOnesFirst) {
  const auto facts = sample();
  EXPECT_TRUE(shown(facts, order_installation(facts, {"web"}, false, true))
                  .starts_with("base: base libc | required packages: mount libmount | web: "));
}

TEST(InstallOrder, ANameThatIsAddedLeavesTheOthersAsTheyWere) {
  const auto facts = sample();
  const auto before = shown(facts, order_installation(facts, {"tool"}, false, false));
  const auto after = shown(facts, order_installation(facts, {"tool", "web"}, false, false));
  EXPECT_TRUE(after.starts_with(before.substr(0, before.find(" | other"))));
}

TEST(InstallOrder, PreDependenciesThatGoInACircleAreUnpackedTogether) {
  const std::vector<PackageFacts> facts{fact("a", Role::wanted, "Pre-Depends: b\n"),
                                        fact("b", Role::dependency, "Pre-Depends: a\n")};
  EXPECT_EQ(shown(facts, order_installation(facts, {"a"}, false, false)), "base: | a: a b");
}

}  // namespace
}  // namespace domsmith::engine
