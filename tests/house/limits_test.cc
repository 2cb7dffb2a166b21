#include "tests/house/limits.h"

#include <gmock/gmock.h>

namespace domsmith::house {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string repeated(std::string_view text, unsigned times) {
  std::string all;
  for (unsigned i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

TEST(Functions, FindsBodiesAndTheirLength) {
  const auto found =
      functions_of("namespace a {\nint f(int x) {\n  return x;\n}\n\nclass C {\n  void g() const { h(); }\n};\n}\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].signature, "int f(int x)");
  EXPECT_EQ(found[0].line, 2U);
  EXPECT_EQ(found[0].length, 3U);
  EXPECT_EQ(found[1].length, 1U);
}

TEST(Functions, CountsLambdasAndLocalTypesToTheirFunction) {
  const auto found =
      functions_of("void f() {\n  struct S {\n    int x;\n  };\n  auto g = [](int y) {\n    return y;\n  };\n}\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].length, 8U);
}

TEST(Functions, TellsTablesAndMemberInitialisersFromBodies) {
  EXPECT_THAT(
      functions_of("const std::vector<X> table{\n  {\"a\", 1},\n};\nenum class E { a, b };\nX y = make({1, 2});\n"),
      IsEmpty());
  const auto found = functions_of("C::C() : a_{1}, b_(2), c_{3} {\n  go();\n}\nauto C::d() -> std::vector<int> {\n}\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].length, 3U);
  EXPECT_EQ(found[1].length, 2U);
}

TEST(Functions, IgnoresBracesInCommentsAndStrings) {
  const auto found =
      functions_of("void f() {\n  // }\n  /* } */ s = \"}\"; c = '}'; r = R\"x( } )\" )x\"; n = 1'000;\n}\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].length, 4U);
}

TEST(Functions, SkipsMacros) {
  const auto found = functions_of("#define X(a) \\\n  ({ f(a); })\nint g() {\n  return 1;\n}\n");
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.back().length, 3U);
}

TEST(Limits, RefusesLongFilesAndLongFunctions) {
  const SourceFile fits{.path = "base/a.cc",
                        .text = "void f() {\n" + repeated("  g();\n", kMaxFunctionLines - 2) + "}\n"};
  EXPECT_THAT(check_lengths({fits}), IsEmpty());
  const SourceFile long_function{.path = "base/a.cc",
                                 .text = "void f() {\n" + repeated("  g();\n", kMaxFunctionLines - 1) + "}\n"};
  EXPECT_THAT(describe(check_lengths({long_function})), HasSubstr("base/a.cc:1: a function of 71 lines"));
  EXPECT_THAT(check_lengths({{.path = "base/b.h", .text = repeated("\n", kMaxFileLines)}}), IsEmpty());
  EXPECT_THAT(describe(check_lengths({{.path = "base/b.h", .text = repeated("\n", kMaxFileLines + 1)}})),
              HasSubstr("501 lines"));
  EXPECT_THAT(check_lengths({{.path = "docs/long.md", .text = repeated("\n", 2 * kMaxFileLines)}}), IsEmpty());
}

TEST(Limits, RefusesMarksOfUnfinishedWork) {
  const std::string mark = std::string("// TO") + "DO: later\n";
  EXPECT_THAT(describe(check_words({{.path = "base/a.cc", .text = "int x;\n" + mark}})), HasSubstr("base/a.cc:2:"));
  EXPECT_THAT(check_words({{.path = "base/a.cc", .text = "int TODOS; // mktemp /tmp/x.XXXXXX\n"}}), IsEmpty());
}

TEST(Limits, WantsPragmaOnceAndALeadingComment) {
  EXPECT_THAT(check_headers({{.path = "base/a.h", .text = "// What it is.\n#pragma once\n"}}), IsEmpty());
  EXPECT_EQ(check_headers({{.path = "base/a.h", .text = "#include <vector>\n"}}).size(), 2U);
}

TEST(Limits, WantsScriptsThatRun) {
  EXPECT_THAT(check_scripts({{.path = "script/a", .text = "#!/bin/bash\n", .executable = true}}), IsEmpty());
  EXPECT_EQ(check_scripts({{.path = "script/a", .text = "#!/bin/bash\n"}}).size(), 1U);
}

TEST(Limits, RefusesPathsOfOneMachine) {
  EXPECT_EQ(check_paths({{.path = "script/a", .text = std::string("cd /ho") + "me/ann/src/domsmith\n"}}).size(), 1U);
  EXPECT_THAT(check_paths({{.path = "script/a", .text = "cd /home/$USER/x; ls /srv/store /etc/xen\n"}}), IsEmpty());
}

TEST(Limits, RefusesANewTopLevelFolder) {
  EXPECT_EQ(check_top_level({{"base/a.h", ""}, {"utils/a.h", ""}, {"README.md", ""}}).size(), 1U);
}

}  // namespace
}  // namespace domsmith::house
