// docs/answer-file.md says what the code does: its tables are the code's own, and its examples are answer files.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error_text.h"
#include "hypervisor/answer/answer.h"
#include "hypervisor/answer/answer_schema.h"
#include "hypervisor/answer/install_plan.h"
#include "imagebuild/recipe/describe.h"
#include "tests/unit/golden.h"

namespace domsmith {
namespace {

const std::filesystem::path manual = std::filesystem::path(DOMSMITH_SOURCE_DIR) / "docs/answer-file.md";

TEST(AnswerManual, HoldsTheTablesOfTheCode) { golden::expect_generated(manual, markdown_reference(answer_schema())); }

// Each example is right, and can be planned on the machine of the manual's own inventory.
TEST(AnswerManual, ItsExamplesCanBePlanned) {
  const std::string text = golden::bytes_of(manual);
  const auto inventories = golden::examples(text, "json");
  ASSERT_EQ(inventories.size(), 1U);
  const auto inventory = parse_inventory(inventories[0], "manual");
  ASSERT_TRUE(inventory) << error_text(inventory.error());
  const auto answers = golden::examples(text, "toml");
  EXPECT_GE(answers.size(), 2U);
  for (const std::string& example : answers) {
    const auto answer = parse_answer(example, "example.toml");
    ASSERT_TRUE(answer) << example << error_text(answer.error());
    const auto plan = plan_install(*answer, *inventory);
    EXPECT_TRUE(plan) << example << error_text(plan.error());
  }
}

}  // namespace
}  // namespace domsmith
