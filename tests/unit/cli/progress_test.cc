#include <gmock/gmock.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/text.h"
#include "provision/cli/progress_display.h"
#include "provision/cli/progress_line.h"
#include "provision/cli/table.h"
#include "tests/unit/cli/captured.h"

namespace domsmith {
namespace {

using testing::HasSubstr;
using testing::Not;

ProgressEvent bytes_event(std::uint64_t done, std::uint64_t total) {
  return {.kind = ProgressEvent::Kind::advance,
          .stage = "file system",
          .text = {},
          .done = done,
          .total = total,
          .unit = "bytes"};
}

class ProgressTest : public testing::Test {
 protected:
  std::unique_ptr<Progress> make(ProgressMode mode) {
    return make_progress(mode, {.stream = out_.file(),
                                .colour = false,
                                .columns = [this] { return columns_; },
                                .now = [this] { return now_; }});
  }
  Captured out_;
  unsigned columns_ = 80;
  std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
};

TEST(ProgressLine, ShowsPercentAmountRateAndTimeLeft) {
  const std::string line = progress_line(bytes_event(256ULL << 20, 1ULL << 30), Seconds(4), 100, false);
  EXPECT_EQ(line, "file system  [######------------------]   25%  256.0 MiB of 1.0 GiB  0:12 left  64.0 MiB/s");
}

TEST(ProgressLine, IsNeverWiderThanTheTerminal) {
  for (unsigned columns = 0; columns < 120; ++columns) {
    for (const std::uint64_t total : {0ULL, 1ULL << 30}) {
      ProgressEvent event = bytes_event(256ULL << 20, total);
      event.text = "a long sentence about what is being done, 日本語 and all";
      EXPECT_LE(display_width(progress_line(event, Seconds(4), columns, false)), columns) << "columns " << columns;
    }
  }
}

TEST(ProgressLine, PromisesNoTimeForSteps) {
  const ProgressEvent event{.kind = ProgressEvent::Kind::advance,
                            .stage = "packages",
                            .text = "unpacking",
                            .done = 1,
                            .total = 7,
                            .unit = "steps"};
  EXPECT_EQ(progress_line(event, Seconds(65), 80, false),
            "packages  [###---------------------]   14%  step 2 of 7  1:05  unpacking");
}

TEST(ProgressLine, CopesWithMoreThanAll) {
  EXPECT_THAT(progress_line(bytes_event(200, 100), Seconds(1), 80, false), HasSubstr("100%"));
}

TEST(ProgressLine, WritesTimes) {
  EXPECT_EQ(clock_text(Seconds(7)), "0:07");
  EXPECT_EQ(clock_text(Seconds(3723)), "1:02:03");
  EXPECT_EQ(clock_text(Seconds(-1)), "0:00");
  EXPECT_EQ(duration_text(Seconds(0.44)), "0.4 s");
  EXPECT_EQ(duration_text(Seconds(200)), "3 min 20 s");
}

TEST_F(ProgressTest, DrawsABarAtMostTenTimesASecondAndClearsIt) {
  auto progress = make(ProgressMode::bar);
  progress->begin("file system", 1000, "bytes");
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    now_ += std::chrono::milliseconds(1);
    progress->advance("file system", i, 1000);
  }
  progress->end("file system");
  const std::string text = out_.text();
  EXPECT_LE(std::ranges::count(text, '\r'), 12);
  EXPECT_THAT(text, HasSubstr("%"));
  EXPECT_THAT(text, HasSubstr("\r\x1b[K"));
  EXPECT_THAT(text, testing::EndsWith("(1.0 s)\n"));
}

TEST_F(ProgressTest, ItsClockGoesOnWhereNothingHappens) {
  std::atomic<int> asked{0};
  const auto begun = std::chrono::steady_clock::time_point(std::chrono::hours(1));
  auto progress = make_progress(ProgressMode::bar, {.stream = out_.file(),
                                                    .colour = false,
                                                    .columns = [] { return 80U; },
                                                    .now = [&] { return begun + std::chrono::seconds(asked++); }});
  progress->begin("packages", 7, "steps");
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (asked < 4 && std::chrono::steady_clock::now() < limit) {
    std::this_thread::yield();
  }
  progress.reset();
  EXPECT_THAT(out_.text(), HasSubstr("step 1 of 7  0:02"));
}

TEST_F(ProgressTest, LeavesNothingBehindAShortStage) {
  {
    auto progress = make(ProgressMode::bar);
    progress->begin("clones", 3, "clones");
    progress->advance("clones", 3, 3);
    progress->end("clones");
  }
  EXPECT_THAT(out_.text(), testing::EndsWith("\r\x1b[K"));
}

TEST_F(ProgressTest, ClearsItsBarWhenTheOperationFails) {
  {
    make(ProgressMode::bar)->begin("clones", 3, "clones");
  }
  EXPECT_THAT(out_.text(), testing::EndsWith("\r\x1b[K"));
}

TEST_F(ProgressTest, CopesWithTerminalsOfOneColumnAndOfNone) {
  for (const unsigned columns : {0U, 1U, 2U, 7U}) {
    columns_ = columns;
    auto progress = make(ProgressMode::bar);
    progress->begin("file system", 100, "bytes");
    progress->advance("file system", 50, 100, "bytes");
    progress->end("file system");
  }
  EXPECT_THAT(out_.text(), Not(testing::IsEmpty()));
}

TEST_F(ProgressTest, WritesFewPlainLines) {
  auto progress = make(ProgressMode::plain);
  progress->begin("packages");
  for (int second = 0; second < 60; ++second) {
    now_ += std::chrono::seconds(1);
    progress->advance("packages", static_cast<std::uint64_t>(second), 60, "packages");
  }
  progress->end("packages", "132 packages");
  const std::vector<std::string> lines = split_lines(out_.text());
  EXPECT_GE(lines.size(), 10U);
  EXPECT_LE(lines.size(), 15U);
  EXPECT_EQ(lines.front(), "packages …");
  EXPECT_EQ(lines.back(), "packages: 132 packages (60 s)");
  EXPECT_THAT(out_.text(), Not(HasSubstr("\x1b")));
}

TEST_F(ProgressTest, AStageOfStepsEndsWithItsTimeAlone) {
  auto progress = make(ProgressMode::plain);
  progress->begin("packages", 7, "steps");
  now_ += std::chrono::seconds(4);
  progress->advance("packages", 6, 7, "steps");
  progress->end("packages");
  EXPECT_EQ(out_.text(), "packages …\npackages (4.0 s)\n");
}

TEST_F(ProgressTest, WritesJsonLines) {
  auto progress = make(ProgressMode::json);
  progress->begin("clones", 100, "clones");
  progress->advance("clones", 100);
  progress->end("clones", "done");
  progress->warning("low on space");
  std::vector<nlohmann::json> lines;
  for (const std::string& line : split_lines(out_.text())) {
    lines.push_back(nlohmann::json::parse(line));
  }
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(
      lines[1],
      nlohmann::json({{"event", "advance"}, {"stage", "clones"}, {"done", 100}, {"total", 100}, {"unit", "clones"}}));
  EXPECT_EQ(lines[2]["text"], "done");
  EXPECT_EQ(lines[3]["event"], "warning");
}

TEST_F(ProgressTest, ShowsWarningsEvenWithNone) {
  auto progress = make(ProgressMode::none);
  progress->begin("clones", 100, "clones");
  progress->note("a note");
  progress->warning("low on \x1b[31mspace");
  EXPECT_EQ(out_.text(), "warning: low on ?[31mspace\n");
}

TEST_F(ProgressTest, TakesEventsOfSeveralThreads) {
  auto progress = make(ProgressMode::json);
  std::vector<std::jthread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&progress, number] {
      const std::string stage = "stage " + std::to_string(number);
      progress->begin(stage, 10);
      progress->end(stage);
    });
  }
  threads.clear();
  const std::vector<std::string> lines = split_lines(out_.text());
  EXPECT_EQ(lines.size(), 8U);
  EXPECT_TRUE(std::ranges::all_of(lines, [](const std::string& line) { return nlohmann::json::accept(line); }));
}

TEST(ProgressMode, KnowsItsWords) {
  EXPECT_EQ(parse_progress_mode("json"), ProgressMode::json);
  EXPECT_EQ(parse_progress_mode("JSON"), std::nullopt);
}

}  // namespace
}  // namespace domsmith
