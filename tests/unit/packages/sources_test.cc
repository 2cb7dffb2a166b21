#include "imagebuild/packages/sources.h"

#include <gmock/gmock.h>

#include "base/file.h"

namespace domsmith::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* debian_sources = R"(Types: deb
# http://snapshot.debian.org/archive/debian/20250520T000000Z
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://example.org/off
Suites: bookworm
Components: main
)";

std::vector<std::string> lines(const std::vector<AptSource>& sources) {
  std::vector<std::string> out;
  for (const AptSource& source : sources) {
    out.push_back(source.line());
  }
  return out;
}

Recipe::Distribution bookworm(std::vector<std::string> components = {"main"}) {
  return {.name = "debian", .release = "bookworm", .components = std::move(components), .mirrors = {}};
}

TEST(OneLine, ReadsOptionsCommentsAndSkipsSources) {
  const auto sources = parse_one_line(
      "# a comment\n"
      "deb [ arch=amd64 signed-by=/k.gpg check-valid-until=no ] http://a/debian bookworm main contrib # behind\n"
      "deb-src http://a/debian bookworm main\n"
      "\n"
      "deb\thttp://b/debian\tsid\tmain\n",
      "sources.list");
  ASSERT_TRUE(sources);
  EXPECT_THAT(
      lines(*sources),
      ElementsAre("deb [signed-by=/k.gpg arch=amd64 check-valid-until=no] http://a/debian bookworm main contrib",
                  "deb http://b/debian sid main"));
  EXPECT_EQ(sources->at(1).origin, "sources.list:5");
}

TEST(OneLine, NamesTheLineOfAnError) {
  const auto short_entry = parse_one_line("\ndeb http://a/debian\n", "/etc/apt/sources.list");
  ASSERT_FALSE(short_entry);
  EXPECT_EQ(short_entry.error().what, "/etc/apt/sources.list:2: an entry needs a URI, a suite and components");
  const auto word = parse_one_line("rpm http://a b c\n", "x");
  ASSERT_FALSE(word);
  EXPECT_EQ(word.error().what, "x:1: an entry starts with 'deb' or 'deb-src'");
}

TEST(Deb822, ReadsStanzas) {
  const auto sources = parse_deb822(debian_sources, "debian.sources");
  ASSERT_TRUE(sources);
  constexpr const char* key = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ";
  EXPECT_THAT(lines(*sources),
              ElementsAre(std::string(key) + "http://deb.debian.org/debian bookworm main",
                          std::string(key) + "http://deb.debian.org/debian bookworm-updates main",
                          std::string(key) + "http://deb.debian.org/debian-security bookworm-security main contrib"));
  EXPECT_EQ(sources->at(2).origin, "debian.sources:8");
}

TEST(Deb822, KeepsOptions) {
  const auto sources = parse_deb822(
      "Types: deb\nURIs: http://a\nSuites: x\nComponents: main\nArchitectures: amd64 arm64\nCheck-Valid-Until: no\n",
      "f");
  ASSERT_TRUE(sources);
  EXPECT_THAT(lines(*sources), ElementsAre("deb [arch=amd64,arm64 check-valid-until=no] http://a x main"));
}

TEST(Deb822, ReadsContinuationLinesAndRefusesBrokenOnes) {
  const auto folded = parse_deb822("Types: deb\nURIs: http://a\n http://b\nSuites: x\nComponents:\n main\n", "f");
  ASSERT_TRUE(folded);
  EXPECT_THAT(lines(*folded), ElementsAre("deb http://a x main", "deb http://b x main"));
  EXPECT_FALSE(parse_deb822(" main\n", "f"));
  EXPECT_FALSE(parse_deb822("Types deb\n", "f"));
  EXPECT_FALSE(parse_deb822("Types: deb\nSuites: x\n", "f"));
}

TEST(Select, TakesTheReleaseAndItsUpdatesOnly) {
  const auto host = parse_deb822(debian_sources, "debian.sources");
  ASSERT_TRUE(host);
  auto all = *host;
  all.push_back({"https://deb.nodesource.com", "nodistro", {"main"}, "/k", false, "node.list:1", {}});
  all.push_back({"https://cloud.example", "cloud-sdk-bookworm", {"main"}, "/k", false, "cloud.list:1", {}});
  all.push_back({"http://deb.debian.org/debian", "bookworm-backports", {"main"}, "/k", false, "x:1", {}});
  const auto chosen = select_sources(bookworm(), all);
  ASSERT_TRUE(chosen);
  std::vector<std::string> suites;
  for (const AptSource& source : *chosen) {
    suites.push_back(source.suite);
    EXPECT_THAT(source.components, ElementsAre("main"));
  }
  EXPECT_THAT(suites, ElementsAre("bookworm", "bookworm-updates", "bookworm-security"));
}

TEST(Select, SaysWhichReleaseOrComponentIsMissing) {
  const auto host = parse_deb822(debian_sources, "debian.sources");
  ASSERT_TRUE(host);
  auto trixie = bookworm();
  trixie.release = "trixie";
  const auto none = select_sources(trixie, *host);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().what, "this host has no apt source for debian 'trixie' main");
  EXPECT_THAT(none.error().remedy, HasSubstr("mirror"));
  // contrib comes with -security alone: the release lacks it.
  const auto contrib = select_sources(bookworm({"main", "contrib"}), *host);
  ASSERT_FALSE(contrib);
  EXPECT_EQ(contrib.error().what, "this host has no apt source for debian 'bookworm' contrib");
}

TEST(Select, RefusesUnsignedSources) {
  for (const char* option : {"trusted=yes", "allow-insecure=yes", "Trusted=1", "allow-weak=on"}) {
    auto wanted = bookworm();
    wanted.mirrors = {std::string("deb [") + option + "] http://a/debian bookworm main"};
    const auto chosen = select_sources(wanted, {});
    ASSERT_FALSE(chosen) << option;
    EXPECT_EQ(chosen.error().code, ErrorCode::bad_input);
    EXPECT_THAT(chosen.error().what, HasSubstr("unsigned packages"));
  }
  const auto host = parse_deb822("Types: deb\nURIs: http://a\nSuites: bookworm\nComponents: main\nTrusted: yes\n", "f");
  ASSERT_TRUE(host);
  EXPECT_FALSE(select_sources(bookworm(), *host));
}

TEST(Select, RefusesAKeyInsideTheEntry) {
  const auto host = parse_deb822(
      "Types: deb\nURIs: http://a\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY "
      "BLOCK-----\n .\n",
      "f.sources");
  ASSERT_TRUE(host);
  const auto chosen = select_sources(bookworm(), *host);
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().what, "f.sources:1 holds its key inside the entry");
}

TEST(Select, TakesTheRecipesMirrorsInsteadOfTheHosts) {
  auto wanted = bookworm({"main", "contrib"});
  wanted.mirrors = {"http://mirror.example/debian", "deb [signed-by=/k.gpg] http://c bookworm-security main"};
  const auto chosen = select_sources(wanted, {{"http://host", "bookworm", {"main"}, "", false, "", {}}});
  ASSERT_TRUE(chosen);
  EXPECT_THAT(lines(*chosen), ElementsAre("deb http://mirror.example/debian bookworm main contrib",
                                          "deb [signed-by=/k.gpg] http://c bookworm-security main"));
}

TEST(HostSources, ReadsBothFormatsInOrderAndNothingElse) {
  const auto folder = TemporaryDirectory::make();
  ASSERT_TRUE(folder);
  const auto apt = folder->path();
  ASSERT_TRUE(write_file_atomic(apt / "sources.list", "deb http://one a main\n"));
  ASSERT_TRUE(write_file_atomic(apt / "sources.list.d/z.list", "deb http://three a main\n"));
  ASSERT_TRUE(write_file_atomic(apt / "sources.list.d/b.sources",
                                "Types: deb\nURIs: http://two\nSuites: a\nComponents: main\n"));
  ASSERT_TRUE(write_file_atomic(apt / "sources.list.d/old.list.disabled", "deb http://off a main\n"));
  const auto sources = read_host_sources(apt);
  ASSERT_TRUE(sources);
  EXPECT_THAT(lines(*sources),
              ElementsAre("deb http://one a main", "deb http://two a main", "deb http://three a main"));
  const auto none = read_host_sources(apt / "absent");
  ASSERT_TRUE(none);
  EXPECT_THAT(*none, IsEmpty());
}

}  // namespace
}  // namespace domsmith::packages
