// The process is killed at every fail point of every verb, and again at every fail point of the recovery that follows:
// afterwards a thing is absent or complete, and a second recovery finds nothing to do.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <ostream>

#include "base/error_text.h"
#include "scene.h"

namespace domsmith {
namespace {

struct Verb {
  const char* name;
  std::function<Result<void>(const Scene&)> prepare;
  std::function<Result<void>(const Scene&)> act;
  std::size_t stride = 1;  // of the points at which it dies before its recovery dies too; 1: all, as nightly for each
};

void PrintTo(const Verb& verb, std::ostream* out) { *out << verb.name; }

Result<void> nothing(const Scene&) { return {}; }
Result<void> with_image(const Scene& scene) { return scene.build(); }
Result<void> with_clones(const Scene& scene) {
  TRY(scene.build());
  return scene.clone("web", 3);
}

CloneRequest full() {
  CloneRequest request;
  request.full = true;
  return request;
}
Result<void> with_copies(const Scene& scene) {
  TRY(scene.build());
  return scene.clone("web", 2, full());
}
Result<void> with_two_images(const Scene& scene) {
  TRY(with_clones(scene));
  return scene.promote("web-1", "silver");
}

std::vector<Verb> verbs() {
  return {{"build", nothing, [](const Scene& scene) { return scene.build(); }},
          {"clone", with_image, [](const Scene& scene) { return scene.clone("web", 3); }},
          {"reset", with_clones, [](const Scene& scene) { return scene.reset({"web-1", "web-3"}); }},
          {"clone_full", with_image, [](const Scene& scene) { return scene.clone("web", 2, full()); }, 4},
          {"reset_full", with_copies, [](const Scene& scene) { return scene.reset({"web-*"}); }, 4},
          {"promote", with_clones, [](const Scene& scene) { return scene.promote("web-2", "silver"); }, 4},
          {"rebase", with_two_images, [](const Scene& scene) { return scene.rebase({"web-*"}, "silver", false); }, 4},
          {"grow", with_clones, [](const Scene& scene) { return scene.resize("web-2", 24U << 20); }, 4},
          {"shrink", with_clones, [](const Scene& scene) { return scene.resize("web-2", 12U << 20); }, 4},
          {"remove", with_clones, [](const Scene& scene) { return scene.remove({"web-*"}); }},
          {"image_remove", with_image, [](const Scene& scene) { return scene.remove_image(); }}};
}

bool was_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

Result<void> recover_once(const Scene& scene) {
  TRY(scene.recover());
  return {};
}

class KillTest : public testing::TestWithParam<Verb> {
 protected:
  // What is there before the verb and after it, when nothing goes wrong.
  void SetUp() override {
    const Scene scene;
    ASSERT_EQ(in_child({}, [&] { return GetParam().prepare(scene); }), 0);
    before_ = scene.shape();
    points_ = passed_points([&] { return GetParam().act(scene); });
    after_ = scene.shape();
    ASSERT_GE(points_.size(), 6U);
  }

  void die_at(const Scene& scene, const std::string& point) const {
    ASSERT_EQ(in_child({}, [&] { return GetParam().prepare(scene); }), 0);
    const int status = in_child({{"DOMSMITH_FAIL", point}}, [&] { return GetParam().act(scene); });
    ASSERT_TRUE(was_killed(status)) << point << ": " << status;
  }

  void expect_absent_or_complete(const Scene& scene, const std::string& story) const {
    const std::string shape = scene.shape();
    EXPECT_TRUE(shape == before_ || shape == after_) << story << "\n--- found\n"
                                                     << shape << "\n--- before\n"
                                                     << before_ << "\n--- after\n"
                                                     << after_;
    scene.expect_whole_clones();
    scene.expect_clean();
    const auto again = scene.recover();
    ASSERT_TRUE(again) << error_text(again.error());
    EXPECT_EQ(*again, 0U) << story << ": a second recovery found work";
  }

  std::string before_, after_;
  std::vector<std::string> points_;
};

TEST_P(KillTest, at_each_point_it_is_absent_or_complete_after_recovery) {
  for (const std::string& point : points_) {
    const Scene scene;
    die_at(scene, point);
    const auto recovered = scene.recover();
    ASSERT_TRUE(recovered) << point << "\n" << error_text(recovered.error());
    expect_absent_or_complete(scene, point);
  }
}

TEST_P(KillTest, dying_in_the_recovery_is_recovered_too) {
  const std::size_t stride = std::getenv("DOMSMITH_TEST_ALL") != nullptr ? 1 : GetParam().stride;
  for (std::size_t i = 0; i < points_.size(); i += stride) {
    const std::string& point = points_[i];
    std::vector<std::string> in_recovery;
    {
      const Scene scene;
      die_at(scene, point);
      in_recovery = passed_points([&] { return recover_once(scene); });
    }
    for (const std::string& second : in_recovery) {
      const Scene scene;
      die_at(scene, point);
      const int status = in_child({{"DOMSMITH_FAIL", second}}, [&] { return recover_once(scene); });
      ASSERT_TRUE(was_killed(status)) << point << " then " << second;
      const auto recovered = scene.recover();
      ASSERT_TRUE(recovered) << error_text(recovered.error());
      expect_absent_or_complete(scene, point + " then " + second);
    }
  }
}

TEST_P(KillTest, an_error_at_each_point_is_told_and_leaves_nothing_half) {
  for (const std::string& point : points_) {
    const Scene scene;
    ASSERT_EQ(in_child({}, [&] { return GetParam().prepare(scene); }), 0);
    const int status = in_child({{"DOMSMITH_FAIL", point + "=error"}}, [&] { return GetParam().act(scene); });
    EXPECT_NE(status, 0) << point;
    ASSERT_TRUE(scene.recover()) << point;
    expect_absent_or_complete(scene, point + "=error");
  }
}

INSTANTIATE_TEST_SUITE_P(Verbs, KillTest, testing::ValuesIn(verbs()),
                         [](const auto& verb) { return std::string(verb.param.name); });

}  // namespace
}  // namespace domsmith
