#include "provision/cli/table.h"

#include <gtest/gtest.h>

namespace domsmith {
namespace {

Table two_columns() { return Table({{.title = "NAME", .may_shrink = true}, {.title = "SIZE", .align = Align::right}}); }

TEST(Table, AlignsColumnsAndLeavesNoTrailingSpace) {
  Table table = two_columns();
  table.row({"web", "2.0 GiB"});
  table.row({"database", "512 MiB"});
  EXPECT_EQ(table.text({}),
            "NAME         SIZE\n"
            "web       2.0 GiB\n"
            "database  512 MiB\n");
}

TEST(Table, IsNothingWithoutRows) { EXPECT_EQ(two_columns().text({}), ""); }

TEST(Table, ShrinksOnlyWhatMayShrink) {
  Table table = two_columns();
  table.row({"a-very-long-name-of-a-guest", "2.0 GiB"});
  EXPECT_EQ(table.text({.columns = 20}),
            "NAME            SIZE\n"
            "a-very-lon…  2.0 GiB\n");
}

TEST(Table, SurvivesATerminalOfOneColumn) {
  Table table = two_columns();
  table.row({"web", "2.0 GiB"});
  EXPECT_NE(table.text({.columns = 1}).find("web"), std::string::npos);
}

TEST(Table, CountsWideAndCombiningLetters) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U);  // e with a combining accent
  EXPECT_EQ(display_width("\xff\xfe"), 2U);   // no UTF-8: one each
  EXPECT_EQ(display_width("\xe6\x97"), 2U);   // cut off in the middle of a letter
  EXPECT_EQ(display_width("\xc0\xaf"), 2U);   // an overlong '/'
  Table table = two_columns();
  table.row({"日本", "1"});
  table.row({"abcd", "1"});
  EXPECT_EQ(table.text({}), "NAME  SIZE\n日本     1\nabcd     1\n");
}

TEST(Table, NeverCutsALetterInHalf) {
  EXPECT_EQ(cut_to_width("日本語", 4), "日…");  // half of 本 would not fit
  EXPECT_EQ(cut_to_width("日本語", 6), "日本語");
  EXPECT_EQ(cut_to_width("abc", 1), "…");
  EXPECT_EQ(cut_to_width("abc", 0), "");
}

TEST(Table, ShowsControlCharactersAsQuestionMarks) {
  EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f\xc2\x9b"), "a?[2Jb?c??");
  Table table = two_columns();
  table.row({"x\x1b]0;title\x07", "1"});
  EXPECT_EQ(table.text({}).find('\x1b'), std::string::npos);
}

TEST(Table, BoldTitlesOnlyWithColour) {
  Table table = two_columns();
  table.row({"web", "1"});
  EXPECT_EQ(table.text({.columns = 80, .colour = true}).substr(0, 4), "\x1b[1m");
  EXPECT_EQ(table.text({.columns = 80}).find('\x1b'), std::string::npos);
}

TEST(Folded, BreaksAtSpacesAndIndents) {
  EXPECT_EQ(folded("one two three", 9, 0), "one two\nthree");
  EXPECT_EQ(folded("one two three", 9, 2), "one two\n  three");
  EXPECT_EQ(folded("one two three", 0, 4), "one two three");
  EXPECT_EQ(folded("unbreakable", 1, 0), "unbreakable");
}

}  // namespace
}  // namespace domsmith
