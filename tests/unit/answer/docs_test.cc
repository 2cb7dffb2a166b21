// docs/answer-file.md says what the code does: its tables are the code's own, and its examples are answer files.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error_text.h"
#include "base/file.h"
#include "hypervisor/answer/answer.h"
#include "hypervisor/answer/answer_schema.h"
#include "hypervisor/answer/install_plan.h"
#include "imagebuild/recipe/describe.h"

namespace domsmith {
namespace {

const std::filesystem::path manual_path = std::filesystem::path(DOMSMITH_SOURCE_DIR) / "docs/answer-file.md";

std::string manual() {
  const auto text = read_file(manual_path);
  EXPECT_TRUE(text) << error_text(text.error());
  return text.value_or("");
}

// What stands between ```LANGUAGE and ```.
std::vector<std::string> examples(const std::string& text, const std::string& language) {
  const std::string open = "```" + language + "\n";
  std::vector<std::string> found;
  for (auto at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    at += open.size();
    found.push_back(text.substr(at, text.find("```", at) - at));
  }
  return found;
}

TEST(AnswerManual, HoldsTheTablesOfTheCode) {
  constexpr std::string_view begin =
      "<!-- generated: a test compares it with the code; DOMSMITH_UPDATE_GOLDEN=1 makes that test write it anew -->\n";
  constexpr std::string_view end = "<!-- end of the generated part -->";
  std::string text = manual();
  const auto from = text.find(begin);
  const auto to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::string tables = text.substr(from + begin.size(), to - from - begin.size());
  const std::string wanted = "\n" + markdown_reference(answer_schema());
  if (std::getenv("DOMSMITH_UPDATE_GOLDEN") != nullptr) {
    text.replace(from + begin.size(), tables.size(), wanted);
    ASSERT_TRUE(write_file_atomic(manual_path, text));
  }
  EXPECT_EQ(tables, wanted) << "DOMSMITH_UPDATE_GOLDEN=1 writes the tables anew";
}

// Each example is right, and can be planned on the machine of the manual's own inventory.
TEST(AnswerManual, ItsExamplesCanBePlanned) {
  const auto inventories = examples(manual(), "json");
  ASSERT_EQ(inventories.size(), 1U);
  const auto inventory = parse_inventory(inventories[0], "manual");
  ASSERT_TRUE(inventory) << error_text(inventory.error());
  const auto answers = examples(manual(), "toml");
  EXPECT_GE(answers.size(), 2U);
  for (const std::string& text : answers) {
    const auto answer = parse_answer(text, "example.toml");
    ASSERT_TRUE(answer) << text << error_text(answer.error());
    const auto plan = plan_install(*answer, *inventory);
    EXPECT_TRUE(plan) << text << error_text(plan.error());
  }
}

}  // namespace
}  // namespace domsmith
