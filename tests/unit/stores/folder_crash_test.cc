// A folder store under many processes, and under processes that die: a volume is complete or absent.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>

#include "lvm-snapshots/folder_store.h"
#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {

namespace fs = std::filesystem;

namespace {

const std::string content(100'000, 'g');

class FolderCrash : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(ok(store_.create("gold", 1 << 20)));
    {
      auto target = store_.open("gold", Access::read_write);
      ASSERT_TRUE(ok(target));
      ASSERT_TRUE(ok((*target)->write(300'000, std::as_bytes(std::span(content)))));
    }
    ASSERT_TRUE(ok(store_.seal("gold")));
  }

  // Runs the action in a process of its own; the status of waitpid(2).
  template <class Action>
  static int in_child(Action action) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(action() ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }

  // How often each fail point is passed by the action.
  template <class Action>
  std::map<std::string, unsigned> passes(Action action) {
    const fs::path trace = folder_.path() / "trace";
    fs::remove(trace);
    in_child([&] {
      ::setenv("DOMSMITH_FAIL_TRACE", trace.c_str(), 1);
      return action();
    });
    std::map<std::string, unsigned> counts;
    std::ifstream lines(trace);
    for (std::string line; std::getline(lines, line);) {
      ++counts[line];
    }
    return counts;
  }

  static bool die_at(const std::string& point, unsigned pass) {
    return ::setenv("DOMSMITH_FAIL", (point + ":" + std::to_string(pass)).c_str(), 1) == 0;
  }

  std::string read(const std::string& name) {
    std::string text(content.size(), '?');
    auto target = store_.open(name, Access::read_only);
    EXPECT_TRUE(ok(target));
    EXPECT_TRUE(ok((*target)->read(300'000, std::as_writable_bytes(std::span(text)))));
    return text;
  }
  void expect_all_complete() {
    const auto all = store_.list();
    ASSERT_TRUE(ok(all));
    for (const VolumeInfo& info : *all) {
      EXPECT_EQ(info.size, 1U << 20) << info.name;
      EXPECT_FALSE(info.active) << info.name;
      EXPECT_TRUE(read(info.name) == content) << info.name;
    }
  }
  void expect_clean_after_recovery() {
    ASSERT_TRUE(ok(store_.recover()));
    EXPECT_TRUE(fs::is_empty(root_ / "work"));
    ASSERT_TRUE(ok(store_.recover()));
    expect_all_complete();
  }

  TemporaryDirectory folder_ = TemporaryDirectory::make().value();
  fs::path root_ = folder_.path() / "store";
  FolderStore store_{root_};
  std::vector<std::string> names_ = {"a", "b", "c"};
};

TEST_F(FolderCrash, DyingWhileCloning) {
  const auto clone = [&] { return store_.clone("gold", names_).has_value(); };
  const auto points = passes(clone);
  EXPECT_EQ(points.at("folder.copy.after"), 3U);
  EXPECT_EQ(points.at("folder.clone.visible"), 3U);
  for (const auto& [point, count] : points) {
    for (unsigned pass = 1; pass <= count; ++pass) {
      ASSERT_TRUE(ok(store_.remove(names_)));
      const int status = in_child([&] { return die_at(point, pass) && clone(); });
      ASSERT_TRUE(WIFSIGNALED(status)) << point << pass;
      expect_all_complete();
      expect_clean_after_recovery();
    }
  }
}

TEST_F(FolderCrash, DyingWhileRemoving) {
  const auto remove = [&] { return store_.remove(names_).has_value(); };
  ASSERT_TRUE(ok(store_.clone("gold", names_)));
  const auto points = passes(remove);
  EXPECT_EQ(points.at("folder.remove.hidden"), 3U);
  for (unsigned pass = 1; pass <= 3; ++pass) {
    ASSERT_TRUE(ok(store_.clone("gold", names_)));
    const int status = in_child([&] { return die_at("folder.remove.hidden", pass) && remove(); });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(store_.list().value().size(), 4U - pass);
    expect_clean_after_recovery();
    ASSERT_TRUE(ok(store_.remove(names_)));
  }
}

TEST_F(FolderCrash, DyingWhileResetting) {
  const auto reset = [&] { return store_.reset(names_).has_value(); };
  ASSERT_TRUE(ok(store_.clone("gold", names_)));
  const auto points = passes(reset);
  EXPECT_EQ(points.at("folder.reset.exchanged"), 3U);
  for (const auto& [point, count] : points) {
    for (unsigned pass = 1; pass <= count; ++pass) {
      const int status = in_child([&] { return die_at(point, pass) && reset(); });
      ASSERT_TRUE(WIFSIGNALED(status)) << point << pass;
      EXPECT_EQ(store_.list().value().size(), 4U);
      expect_clean_after_recovery();
      EXPECT_TRUE(ok(store_.reset(names_)));
    }
  }
}

TEST_F(FolderCrash, DyingWhileSealing) {
  for (const char* point : {"folder.seal.before", "folder.seal.after"}) {
    ASSERT_TRUE(ok(store_.create("next", 1 << 20)));
    const int status = in_child([&] { return die_at(point, 1) && store_.seal("next"); });
    ASSERT_TRUE(WIFSIGNALED(status)) << point;
    EXPECT_TRUE(ok(store_.seal("next"))) << point;
    EXPECT_EQ(store_.find("next").value().kind, VolumeKind::golden) << point;
    ASSERT_TRUE(ok(store_.remove(std::vector<std::string>{"next"}))) << point;
  }
}

TEST_F(FolderCrash, ADeadHoldersVolumeIsFree) {
  ASSERT_TRUE(ok(store_.clone("gold", names_)));
  const int status = in_child([&] {
    const auto held = store_.open("a", Access::read_write);
    ::raise(SIGKILL);
    return held.has_value();
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(store_.find("a").value().active);
  EXPECT_TRUE(ok(store_.remove(names_)));
}

// Each process makes 200 clones of its own and tries for 200 that all of them want.
TEST_F(FolderCrash, SixteenProcessesAtOnce) {
  static constexpr int processes = 16;
  static constexpr int each = 200;
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      FolderStore mine(root_);
      std::ofstream won(folder_.path() / ("won-" + std::to_string(p)));
      bool good = true;
      for (int i = 0; i < each; i += 20) {
        std::vector<std::string> own;
        for (int k = i; k < i + 20; ++k) {
          own.push_back("p" + std::to_string(p) + "-" + std::to_string(k));
        }
        good = good && mine.clone("gold", own);
        std::string shared = "all-" + std::to_string(i);
        const auto one = mine.clone("gold", std::span(&shared, 1));
        good = good && (one || one.error().code == ErrorCode::exists);
        if (one) {
          won << shared << '\n';
        }
      }
      won.close();
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  std::vector<std::string> winners;
  for (int p = 0; p < processes; ++p) {
    std::ifstream won(folder_.path() / ("won-" + std::to_string(p)));
    for (std::string line; std::getline(won, line);) {
      winners.push_back(line);
    }
  }
  std::ranges::sort(winners);
  EXPECT_EQ(std::ranges::adjacent_find(winners), winners.end());
  EXPECT_EQ(winners.size(), each / 20U);
  EXPECT_EQ(store_.list().value().size(), 1U + processes * each + each / 20);
  EXPECT_TRUE(fs::is_empty(root_ / "work"));
  expect_all_complete();
}

}  // namespace

}  // namespace domsmith::testing
