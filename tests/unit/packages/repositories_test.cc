#include "imagebuild/packages/repositories.h"

#include <gmock/gmock.h>

#include "imagebuild/packages/customize.h"
#include "tests/unit/packages/recipes.h"

namespace domsmith::packages {
namespace {

constexpr const char* armored = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nx\n";

Recipe recipe() {
  Recipe out = small_recipe();
  out.repositories = {{.name = "ledger",
                       .url = "https://packages.example/debian",
                       .release = "bookworm",
                       .components = {"main", "extra"},
                       .key = "files/ledger.asc",
                       .key_bytes = armored},
                      {.name = "flat",
                       .url = "https://flat.example",
                       .release = "./",
                       .components = {},
                       .key = {},
                       .key_bytes = {},
                       .is_unsigned = true}};
  out.pins = {{.packages = {"ledger*", "nginx"}, .pin = "origin packages.example", .priority = 990},
              {.packages = {"*"}, .pin = "release n=sid", .priority = -1}};
  return out;
}

TEST(Repositories, BecomeFilesThatAptReads) {
  const Recipe from = recipe();
  EXPECT_THAT(
      apt_files(from.repositories, from.pins, "/etc/apt"),
      testing::ElementsAre(
          AptFile{"keyrings/ledger.asc", armored},
          AptFile{"sources.list.d/ledger.sources",
                  "Types: deb\nURIs: https://packages.example/debian\nSuites: bookworm\nComponents: main extra\n"
                  "Signed-By: /etc/apt/keyrings/ledger.asc\n"},
          AptFile{"sources.list.d/flat.sources", "Types: deb\nURIs: https://flat.example\nSuites: ./\nTrusted: yes\n"},
          AptFile{"preferences.d/recipe.pref",
                  "Package: ledger* nginx\nPin: origin packages.example\nPin-Priority: 990\n\n"
                  "Package: *\nPin: release n=sid\nPin-Priority: -1\n"}));
}

TEST(Repositories, TheirFilesAreInTheImageUnlessTheRecipeHasItsOwn) {
  Recipe from = recipe();
  from.files = {make_file("/etc/apt/preferences.d/recipe.pref", "mine")};
  int found = 0;
  for (const agent::Step& step : customize_steps(from)) {
    if (step.path == "/etc/apt/keyrings/ledger.asc") {
      EXPECT_EQ(step.input, armored);
      ++found;
    }
    if (step.path == "/etc/apt/preferences.d/recipe.pref") {
      EXPECT_EQ(step.input, "mine");
      ++found;
    }
  }
  EXPECT_EQ(found, 2);
}

TEST(Repositories, APlanSaysWhichIsUnsigned) {
  const Recipe from = recipe();
  EXPECT_EQ(repository_text(from.repositories[0]),
            "deb https://packages.example/debian bookworm main extra ('ledger', signed with files/ledger.asc)");
  EXPECT_EQ(repository_text(from.repositories[1]),
            "deb https://flat.example ./ ('flat', UNSIGNED: nobody vouches for its packages)");
}

TEST(Repositories, TheOneWithTheWrongKeyIsNamed) {
  const Recipe from = recipe();
  const std::vector<std::string> said{
      "W: GPG error: https://packages.example/debian bookworm InRelease: NO_PUBKEY 0123456789ABCDEF"};
  const auto error = signature_error(from.repositories, said);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->what, "the repository 'ledger' is not signed with the key files/ledger.asc");
  EXPECT_FALSE(signature_error(from.repositories, {"W: GPG error: https://deb.debian.org/debian: NO_PUBKEY 1"}));
  EXPECT_FALSE(signature_error(from.repositories, {"E: https://packages.example/debian: Could not connect"}));
}

}  // namespace
}  // namespace domsmith::packages
