#include "provision/cli/output.h"

#include <gmock/gmock.h>

#include "tests/unit/cli/captured.h"

namespace domsmith {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class OutputTest : public testing::Test {
 protected:
  Captured out_;
  Captured err_;
  Output output_{out_.file(), err_.file()};
};

const Error kError{.code = ErrorCode::not_found,
                   .what = "there is no image 'web'",
                   .where = {},
                   .causes = {},
                   .remedy = "build it",
                   .others = {}};

TEST_F(OutputTest, AnswersTextToPeople) {
  ASSERT_TRUE(output_.answer({{"a", 1}}, "one\n"));
  EXPECT_EQ(out_.text(), "one\n");
  EXPECT_THAT(err_.text(), IsEmpty());
}

TEST_F(OutputTest, AnswersOneDocumentWithJson) {
  output_.set_json(true);
  ASSERT_TRUE(output_.answer({{"a", 1}}, "one\n"));
  EXPECT_EQ(nlohmann::json::parse(out_.text()), nlohmann::json({{"a", 1}}));
}

TEST_F(OutputTest, SaysWhatAnEmptyTableMeans) {
  const Table table({{.title = "NAME"}});
  ASSERT_TRUE(output_.answer({}, table, "there are no guests"));
  EXPECT_EQ(out_.text(), "there are no guests\n");
}

TEST_F(OutputTest, TellsErrorsOnStandardError) {
  output_.error(kError);
  EXPECT_THAT(out_.text(), IsEmpty());
  EXPECT_THAT(err_.text(), HasSubstr("there is no image 'web'"));
  EXPECT_THAT(err_.text(), HasSubstr("build it"));
}

TEST_F(OutputTest, TellsErrorsInJsonToo) {
  output_.set_json(true);
  output_.error(kError);
  EXPECT_TRUE(nlohmann::json::parse(out_.text()).contains("error"));
  EXPECT_THAT(err_.text(), HasSubstr("there is no image 'web'"));
}

TEST_F(OutputTest, KeepsStandardErrorToJsonLines) {
  output_.set_json(true);
  output_.set_quiet_errors(true);
  output_.error(kError);
  EXPECT_TRUE(nlohmann::json::parse(out_.text()).contains("error"));
  EXPECT_THAT(err_.text(), IsEmpty());
}

TEST_F(OutputTest, NeverPrintsTwoDocuments) {
  output_.set_json(true);
  ASSERT_TRUE(output_.answer({{"a", 1}}, ""));
  output_.error(kError);
  EXPECT_EQ(nlohmann::json::parse(out_.text()), nlohmann::json({{"a", 1}}));
}

TEST_F(OutputTest, SurvivesNamesThatAreNoUtf8) {
  output_.set_json(true);
  ASSERT_TRUE(output_.answer({{"name", "\xff"}}, ""));
  EXPECT_TRUE(nlohmann::json::accept(out_.text()));
}

TEST(Output, FailsWhenTheDiskIsFull) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  Captured err;
  Output output(full, err.file());
  const Result<void> result = output.answer({}, "text\n");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::no_space);
  std::fclose(full);
}

TEST(Style, HasNoColourWhereThereIsNoTerminal) {
  Captured out;
  EXPECT_FALSE(style_of(out.file(), false).colour);
  EXPECT_EQ(style_of(out.file(), false).columns, 0U);
}

}  // namespace
}  // namespace domsmith
