#include "base/error_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace domsmith {
namespace {

Error unknown_key() {
  Error error;
  error.code = ErrorCode::bad_input;
  error.what = "unknown key 'instal' in [packages]";
  error.where = SourcePoint{"web.toml", 14, 1, "instal = [\"nginx-light\"]", 6, "did you mean 'install'?"};
  return error;
}

TEST(ErrorText, shows_the_line_with_a_caret) {
  EXPECT_EQ(error_text(unknown_key()),
            "web.toml:14:1: error: unknown key 'instal' in [packages]\n"
            "   14 | instal = [\"nginx-light\"]\n"
            "      | ^^^^^^ did you mean 'install'?\n");
}

TEST(ErrorText, keeps_tabs_so_that_the_caret_stands_right) {
  Error error = unknown_key();
  error.where->text = "\t\tinstal = 1";
  error.where->column = 3;
  EXPECT_NE(error_text(error).find("\n      | \t\t^^^^^^ did"), std::string::npos);
}

TEST(ErrorText, counts_code_points_before_the_caret) {
  Error error = unknown_key();
  error.where->text = "ä = instal";
  error.where->column = 6;  // bytes: 'ä' has two
  EXPECT_NE(error_text(error).find("\n      |     ^^^^^^"), std::string::npos);
}

TEST(ErrorText, underlines_code_points_and_tells_their_column) {
  Error error = unknown_key();
  error.where->text = "\"äöü\" = \"größe\"";
  error.where->column = 12;  // bytes: three letters of two each stand before it
  error.where->width = 9;
  const std::string text = error_text(error);
  EXPECT_TRUE(text.starts_with("web.toml:14:9: error:")) << text;
  EXPECT_NE(text.find("\n      |         ^^^^^^^ did"), std::string::npos) << text;
  EXPECT_EQ(error_json(error)["where"]["column"], 9);
}

TEST(ErrorText, cuts_a_long_line_between_code_points) {
  for (const unsigned column : {1U, 2'001U, 2'002U, 2'003U}) {
    for (const std::string letter : {"ä", "€", "x€"}) {
      Error error = unknown_key();
      error.where->text.clear();
      while (error.where->text.size() < 4'000) {
        error.where->text += letter;
      }
      error.where->column = column;
      const std::string text = error_text(error);
      EXPECT_TRUE(is_utf8(text)) << letter << ' ' << column;
      EXPECT_EQ(text.find('?'), text.find("?\n")) << "the hint's own only: " << text;
    }
  }
}

TEST(ErrorText, sends_only_utf8) {
  Error error = unknown_key();
  error.what = "cannot read \xff\xc3";
  error.where->text = "a\x80 = \xe2\x82";
  error.where->file = "caf\xe9.toml";
  EXPECT_TRUE(is_utf8(error_text(error)));
}

TEST(ErrorText, hides_passwords_of_urls) {
  Error error = unknown_key();
  error.what = "cannot fetch http://me:hunter2@mirror/debian";
  error.where->text = "mirror = \"http://me:hunter2@mirror/debian\" instal";
  error.where->column = 44;
  error.causes = {"proxy http://me:hunter2@proxy:3128 said no"};
  error.remedy = "try wget http://me:hunter2@mirror/debian";
  error.others.push_back(error);
  for (const std::string& text : {error_text(error), error_json(error).dump()}) {
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
    EXPECT_NE(text.find("http://me:***@mirror/debian"), std::string::npos) << text;
  }
  EXPECT_NE(error_text(error).find("\n      |" + std::string(44, ' ') + "^^^^^^ did"), std::string::npos);
}

TEST(ErrorText, never_sends_control_characters_to_the_terminal) {
  Error error = unknown_key();
  error.what = "bad \x1b[31m name";
  error.where->text = "na\x1b]0;me\x07";
  error.causes = {"\x1b[2J"};
  EXPECT_EQ(error_text(error).find('\x1b'), std::string::npos);
  EXPECT_EQ(error_text(error).find('\x07'), std::string::npos);
}

TEST(ErrorText, cuts_a_very_long_line_around_the_column) {
  Error error = unknown_key();
  error.where->text = std::string(100'000, 'x');
  error.where->column = 50'000;
  EXPECT_LT(error_text(error).size(), 400U);
  EXPECT_NE(error_text(error).find("^^^^^^"), std::string::npos);
}

TEST(ErrorText, survives_columns_past_the_line) {
  Error error = unknown_key();
  error.where->text = "";
  error.where->column = 4'000'000'000U;
  error.where->width = 4'000'000'000U;
  EXPECT_LT(error_text(error).size(), 400U);
}

TEST(ErrorText, lists_causes_remedy_and_the_other_errors) {
  Error error = fail(ErrorCode::no_space, "cannot clone", "free some space").error();
  error.causes = {"the pool is full"};
  error.others.push_back(unknown_key());
  const std::string text = error_text(error);
  EXPECT_TRUE(text.starts_with("error: cannot clone\n  because: the pool is full\n  remedy: free some space\n"));
  EXPECT_NE(text.find("web.toml:14:1: error:"), std::string::npos);
}

TEST(ErrorText, folds_at_the_width_of_the_terminal) {
  Error error = fail(ErrorCode::failed, "x").error();
  error.remedy = "one two three four five six seven eight nine ten";
  for (const unsigned columns : {30U, 1U, 0U}) {
    const std::string text = error_text(error, false, columns);
    EXPECT_NE(text.find("ten"), std::string::npos);
    if (columns == 30) {
      EXPECT_NE(text.find("\n          "), std::string::npos);
    }
  }
}

TEST(ErrorJson, holds_all_of_it) {
  const nlohmann::json json = error_json(unknown_key());
  EXPECT_EQ(json["code"], "bad-input");
  EXPECT_EQ(json["where"]["line"], 14);
  EXPECT_EQ(json["where"]["hint"], "did you mean 'install'?");
}

}  // namespace
}  // namespace domsmith
