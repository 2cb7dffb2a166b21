#include "base/journal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

// Runs `body` in a process that dies at its end without any destructor.
void in_dying_process(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

class JournalTest : public testing::Test {
 protected:
  TemporaryDirectory dir_ = *TemporaryDirectory::make();
  Journal journal_{dir_.path() / "journal"};
};

TEST_F(JournalTest, a_finished_operation_leaves_nothing) {
  auto operation = journal_.begin("clone", {{"count", 3}});
  ASSERT_TRUE(operation);
  ASSERT_TRUE(operation->record("reserve"));
  ASSERT_TRUE(operation->finish());
  EXPECT_TRUE(journal_.abandoned()->empty());
  EXPECT_TRUE(fs::is_empty(dir_.path() / "journal"));
}

TEST_F(JournalTest, a_live_operation_is_not_abandoned) {
  auto operation = journal_.begin("clone", {});
  ASSERT_TRUE(operation);
  in_dying_process([&] {
    if (!journal_.abandoned()->empty() || journal_.running()->size() != 1) {
      std::ofstream(dir_.path() / "wrong");
    }
  });
  EXPECT_FALSE(fs::exists(dir_.path() / "wrong"));
}

TEST_F(JournalTest, what_a_dead_process_left_is_found_with_its_steps) {
  in_dying_process([&] {
    auto operation = journal_.begin("clone", {{"image", "gold"}});
    (void)operation->record("reserve", {{"names", {"a", "b"}}});
    (void)operation->commit();
  });
  auto found = journal_.abandoned();
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().verb(), "clone");
  EXPECT_EQ(found->front().parameters()["image"], "gold");
  EXPECT_EQ(found->front().steps().front().arguments["names"][1], "b");
  EXPECT_TRUE(found->front().committed());
  ASSERT_TRUE(found->front().finish());
  EXPECT_TRUE(journal_.abandoned()->empty());
}

TEST_F(JournalTest, a_torn_last_line_was_never_acted_on) {
  in_dying_process([&] {
    auto operation = journal_.begin("build", {});
    (void)operation->record("volume");
  });
  const fs::path file = fs::directory_iterator(dir_.path() / "journal")->path();
  std::ofstream(file, std::ios::app) << R"({"step":"se)";
  auto found = journal_.abandoned();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().steps().size(), 1U);
  ASSERT_TRUE(found->front().record("more"));  // appends behind the mended end
  const std::string bytes = *read_file(file);
  EXPECT_EQ(bytes.find("\"se\n"), std::string::npos);
}

TEST_F(JournalTest, a_process_that_died_before_its_first_line_left_nothing_to_do) {
  ASSERT_TRUE(make_directories(dir_.path() / "journal"));
  std::ofstream(dir_.path() / "journal" / "1.journal");
  std::ofstream(dir_.path() / "journal" / ".2.new") << "{}";
  EXPECT_TRUE(journal_.abandoned()->empty());
  EXPECT_TRUE(fs::is_empty(dir_.path() / "journal"));
}

TEST_F(JournalTest, a_damaged_line_is_an_error_with_a_remedy) {
  ASSERT_TRUE(make_directories(dir_.path() / "journal"));
  std::ofstream(dir_.path() / "journal" / "1.journal") << "rubbish\n";
  const auto found = journal_.abandoned();
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().remedy.find("rm "), std::string::npos);
}

TEST_F(JournalTest, no_journal_folder_is_no_operation) {
  EXPECT_TRUE(Journal("/nonexistent/journal").abandoned()->empty());
}

TEST_F(JournalTest, perform_records_before_it_acts) {
  auto operation = journal_.begin("clone", {});
  const auto result = operation->perform("step", {{"n", 1}}, [&]() -> Result<int> {
    EXPECT_EQ(operation->steps().size(), 1U);
    return 5;
  });
  EXPECT_EQ(*result, 5);
  (void)operation->finish();
}

// 64 processes that cloned at once showed it: a file that was made and not locked yet was another's to take away.
TEST_F(JournalTest, one_that_begins_is_not_taken_for_one_that_was_left) {
  static constexpr int rounds = 2000;
  const pid_t child = ::fork();
  if (child == 0) {
    for (int i = 0; i < rounds; ++i) {
      auto operation = journal_.begin("clone", {});
      if (!operation || !operation->finish()) {
        ::_exit(1);
      }
    }
    ::_exit(0);
  }
  int status = -1;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    EXPECT_TRUE(journal_.abandoned().has_value());
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(journal_.abandoned()->empty());
}

}  // namespace
}  // namespace domsmith
