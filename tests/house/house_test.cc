// The house itself, held against its rules.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error_text.h"
#include "tests/house/include_graph.h"
#include "tests/house/limits.h"

namespace domsmith::house {
namespace {

const std::vector<SourceFile>& tree() {
  static const Result<std::vector<SourceFile>> files = read_source_tree(DOMSMITH_SOURCE_DIR);
  if (!files) {
    throw std::runtime_error(error_text(files.error()));
  }
  return *files;
}

TEST(House, IsReadWhole) {
  const auto cpp = std::ranges::count_if(tree(), is_cpp);
  EXPECT_GT(cpp, 20) << "the sources are not where the test looks: " << DOMSMITH_SOURCE_DIR;
}
TEST(House, IncludesRunOneWay) { EXPECT_EQ(describe(check_includes(tree())), ""); }
TEST(House, FilesAndFunctionsAreShort) { EXPECT_EQ(describe(check_lengths(tree())), ""); }
TEST(House, NothingIsLeftUndone) { EXPECT_EQ(describe(check_words(tree())), ""); }
TEST(House, HeadersSayWhatTheyAre) { EXPECT_EQ(describe(check_headers(tree())), ""); }
TEST(House, ScriptsCanBeRun) { EXPECT_EQ(describe(check_scripts(tree())), ""); }
TEST(House, NoPathOfOneMachine) { EXPECT_EQ(describe(check_paths(tree())), ""); }
TEST(House, HasTheTopLevelOfTheDesign) { EXPECT_EQ(describe(check_top_level(tree())), ""); }

}  // namespace
}  // namespace domsmith::house
