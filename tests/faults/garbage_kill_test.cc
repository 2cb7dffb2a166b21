// gc is killed at each of its fail points: what it took away was nobody's, and a second gc takes the rest.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "base/error_text.h"
#include "scene.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

// Something of every kind that nobody owns.
Result<void> litter(const Scene& scene) {
  TRY(scene.build());
  TRY(scene.clone("web", 2));
  const auto store = TRY(open_store(scene.store_spec()));
  TRY(store->clone("gold", std::vector<std::string>{"stray-1", "stray-2"}));
  TRY(store->create("half", 1U << 20));
  std::ofstream(scene.path() / "xen" / "gone.cfg") << "# Written by domsmith.\nname = \"gone\"\n";
  std::ofstream(scene.path() / "xen" / ".web-7.cfg.domsmith-new") << "x";
  std::ofstream(scene.path() / "boot" / ("kernel-" + std::string(64, '0'))) << "x";
  fs::create_directories(scene.path() / "work" / "17");
  std::ofstream(scene.path() / "work" / "17" / "secret") << "x";
  return {};
}

TEST(GarbageKillTest, AtEachPointTheRestIsGarbageStill) {
  std::string clean;
  std::vector<std::string> points;
  {
    const Scene scene;
    ASSERT_EQ(in_child({}, [&] { return litter(scene); }), 0);
    points = passed_points([&] { return scene.collect_garbage(); });
    clean = scene.shape();
    scene.expect_clean();
    scene.expect_whole_clones();
  }
  ASSERT_GE(points.size(), 8U);
  for (const std::string& point : points) {
    const Scene scene;
    ASSERT_EQ(in_child({}, [&] { return litter(scene); }), 0);
    const int status = in_child({{"DOMSMITH_FAIL", point}}, [&] { return scene.collect_garbage(); });
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
    ASSERT_TRUE(scene.recover()) << point;
    const auto again = scene.collect_garbage();
    ASSERT_TRUE(again) << point << "\n" << error_text(again.error());
    EXPECT_EQ(scene.shape(), clean) << point;
    scene.expect_clean();
  }
}

}  // namespace
}  // namespace domsmith
