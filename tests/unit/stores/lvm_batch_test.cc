// Batches on an LVM that is files in a folder (lvm_fake.h): what they do, what they refuse, and that a process killed
// at any point of them is recovered.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <random>

#include "base/file.h"
#include "base/text.h"
#include "tests/unit/stores/lvm_fake.h"

namespace domsmith::testing {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Refusal = LvmBatch::Refusal;
using State = std::map<std::string, std::string>;

// In memory where there is such a place: every step is synced, and there are tens of thousands of them here.
TemporaryDirectory quick_folder() {
  if (::access("/dev/shm", W_OK) == 0) {
    ::setenv("TMPDIR", "/dev/shm", 1);
  }
  return TemporaryDirectory::make().value();
}

// One group in a folder of its own; each verb as a process of its own would make it.
class Scene {
 public:
  [[nodiscard]] LvmFake fake() const { return LvmFake(folder_.path()); }
  [[nodiscard]] LvmBatch batch(bool active = true) const {
    auto machine = std::make_unique<LvmFake>(folder_.path());
    machine->active = active;
    return {std::move(machine), LvmCommands{"vg0", "pool"}, folder_.path() / "journal"};
  }
  Result<Refusal> clone(const std::vector<std::string>& names) const { return batch().clone("gold", names, silent_); }
  // Each keeps its name, or becomes NAME.fresh.
  Result<Refusal> reset(const std::vector<std::string>& names, bool fresh = false) const {
    return batch().reset(renames(names, fresh), silent_);
  }
  static std::vector<std::pair<std::string, std::string>> renames(const std::vector<std::string>& names, bool fresh) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const std::string& name : names) {
      all.emplace_back(name, name + (fresh ? ".fresh" : ""));
    }
    return all;
  }
  Result<Refusal> remove(const std::vector<std::string>& names) const { return batch().remove(names, silent_); }
  Result<bool> recover() const { return batch().recover(); }
  [[nodiscard]] std::set<ThinDeviceId> devices() const { return fake().device_ids(); }
  [[nodiscard]] State volumes() const { return fake().volumes(); }
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryDirectory folder_ = quick_folder();
  mutable SilentProgress silent_;
};

std::vector<std::string> webs(int count, int first = 1) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    names.push_back(fmt::format("web-{}", first + i));
  }
  return names;
}

std::vector<std::string> names_in(const State& state) {
  std::vector<std::string> names;
  for (const auto& [name, from] : state) {
    names.push_back(name);
  }
  return names;
}

// The wait status of a process that does it with that environment.
int in_child(const char* variable, const std::string& value, const std::function<void()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv(variable, value.c_str(), 1);
    act();
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

std::vector<std::string> points_of(const std::function<void()>& act) {
  const auto folder = TemporaryDirectory::make().value();
  const auto trace = folder.path() / "trace";
  EXPECT_EQ(in_child("DOMSMITH_FAIL_TRACE", trace.string(), act), 0);
  std::vector<std::string> points;
  std::map<std::string, int> passes;
  for (const std::string& line : split_lines(read_file(trace).value_or(""))) {
    points.push_back(fmt::format("{}:{}", line, ++passes[line]));
  }
  return points;
}

bool killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

TEST(LvmBatch, ClonesAreSnapshotsOfTheirOrigin) {
  const Scene scene;
  EXPECT_TRUE(ok(scene.clone(webs(5))));
  const State now = scene.volumes();
  EXPECT_THAT(names_in(now), ElementsAre("gold", "web-1", "web-2", "web-3", "web-4", "web-5"));
  EXPECT_EQ(now.at("web-3"), "gold 3");
  EXPECT_EQ(scene.fake().disorder(), "");
  EXPECT_EQ(scene.fake().metadata().origin_of("web-3"), "gold");
  EXPECT_FALSE(scene.recover().value());
}

TEST(LvmBatch, TheTransactionNumberMovesOnByOne) {
  const Scene scene;
  EXPECT_TRUE(ok(scene.clone(webs(5))));
  EXPECT_EQ(scene.fake().metadata().transaction_id(), 2U);
  EXPECT_TRUE(ok(scene.reset(webs(5))));
  EXPECT_EQ(scene.fake().metadata().transaction_id(), 3U);
  EXPECT_TRUE(ok(scene.remove(webs(5))));
  EXPECT_EQ(scene.fake().metadata().transaction_id(), 4U);
}

TEST(LvmBatch, AResetGivesEachANewSnapshotAndFreesTheOld) {
  const Scene scene;
  ASSERT_TRUE(ok(scene.clone(webs(5))));
  const State before = scene.volumes();
  const std::string id = scene.fake().metadata().id_of("web-2");
  EXPECT_TRUE(ok(scene.reset(webs(4))));
  const State now = scene.volumes();
  EXPECT_EQ(names_in(now), names_in(before));
  EXPECT_NE(now.at("web-2"), before.at("web-2"));
  EXPECT_EQ(now.at("web-5"), before.at("web-5"));
  EXPECT_EQ(scene.fake().metadata().id_of("web-2"), id);
  EXPECT_EQ(scene.fake().disorder(), "");
}

TEST(LvmBatch, AResetMakesVolumesFresh) {
  const Scene scene;
  ASSERT_TRUE(ok(scene.clone(webs(5))));
  const std::string id = scene.fake().metadata().id_of("web-2");
  EXPECT_TRUE(ok(scene.reset(webs(4), true)));
  EXPECT_THAT(names_in(scene.volumes()),
              ElementsAre("gold", "web-1.fresh", "web-2.fresh", "web-3.fresh", "web-4.fresh", "web-5"));
  EXPECT_EQ(scene.fake().metadata().id_of("web-2.fresh"), id);
  EXPECT_EQ(scene.fake().disorder(), "");
  const State before = scene.volumes();
  EXPECT_TRUE(ok(scene.reset({"web-1.fresh", "web-2.fresh", "web-3.fresh"})));
  EXPECT_EQ(names_in(scene.volumes()), names_in(before));
  EXPECT_NE(scene.volumes().at("web-1.fresh"), before.at("web-1.fresh"));
  EXPECT_EQ(scene.fake().disorder(), "");
}

TEST(LvmBatch, VolumesGetTheirNamesInOneChange) {
  const Scene scene;
  ASSERT_TRUE(ok(scene.clone({"web-1.fresh", "web-2.fresh", "web-3.fresh", "web-4"})));
  const std::uint64_t seqno = scene.fake().metadata().seqno();
  const std::vector<std::pair<std::string, std::string>> renames = {{"web-1.fresh", "web-1"}, {"web-3.fresh", "web-3"}};
  const auto renamed = scene.batch().rename(renames);
  ASSERT_TRUE(ok(renamed));
  EXPECT_EQ(renamed->value_or("done"), "done");
  EXPECT_THAT(names_in(scene.volumes()), ElementsAre("gold", "web-1", "web-2.fresh", "web-3", "web-4"));
  EXPECT_EQ(scene.fake().metadata().seqno(), seqno + 1);
  const std::vector<std::pair<std::string, std::string>> taken = {{"web-2.fresh", "web-4"}};
  EXPECT_THAT(scene.batch().rename(taken).value().value_or("done"), HasSubstr("'web-4'"));
  EXPECT_EQ(scene.fake().disorder(), "");
}

TEST(LvmBatch, RemovedVolumesAndTheirDevicesAreGone) {
  const Scene scene;
  ASSERT_TRUE(ok(scene.clone(webs(6))));
  EXPECT_TRUE(ok(scene.remove(webs(4, 2))));
  EXPECT_THAT(names_in(scene.volumes()), ElementsAre("gold", "web-1", "web-6"));
  EXPECT_EQ(scene.fake().disorder(), "");
}

TEST(LvmBatch, DeviceNumbersAreUsedAgain) {
  const Scene scene;
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(ok(scene.clone(webs(8))));
    ASSERT_TRUE(ok(scene.reset(webs(8))));
    ASSERT_TRUE(ok(scene.remove(webs(8))));
  }
  ASSERT_TRUE(ok(scene.clone(webs(8))));
  EXPECT_LT(*scene.devices().rbegin(), 3 * device_id_gap);
}

TEST(LvmBatch, ADeviceThatTheGroupDoesNotKnowIsLeftAlone) {
  const Scene scene;
  for (const ThinDeviceId id : {device_id_gap + 2, device_id_gap + 4}) {
    scene.fake().add_foreign_device(id);
  }
  EXPECT_TRUE(ok(scene.clone(webs(5))));
  EXPECT_EQ(scene.volumes().size(), 6U);
  EXPECT_TRUE(scene.devices().contains(device_id_gap + 2));
  for (const char* point : {"lvm.clone.devices.before", "lvm.batch.device:2", "lvm.clone.devices.after"}) {
    EXPECT_TRUE(killed(in_child("DOMSMITH_FAIL", point, [&] { (void)scene.clone(webs(5, 11)); })));
    EXPECT_TRUE(scene.recover().value());
    EXPECT_TRUE(scene.devices().contains(device_id_gap + 4)) << point;
    EXPECT_EQ(scene.fake().disorder(), "") << point;
  }
}

// One that appears in between, so that our number is taken: no batch, and it stays.
TEST(LvmBatch, WhoeverMakesDevicesPastLvmKeepsThem) {
  const Scene scene;
  class Meddled final : public Progress {
   public:
    explicit Meddled(LvmFake fake) : fake_(std::move(fake)) {}
    void event(const ProgressEvent& event) override {
      if (event.kind == ProgressEvent::Kind::advance && event.done == 1) {
        fake_.add_foreign_device(device_id_gap + 3);
      }
    }
    LvmFake fake_;
  } meddled(scene.fake());
  ASSERT_TRUE(fails(scene.batch().clone("gold", webs(5), meddled), ErrorCode::busy));
  EXPECT_EQ(scene.devices(), (std::set<ThinDeviceId>{1, device_id_gap + 3}));
  EXPECT_EQ(scene.fake().disorder(), "");
}

TEST(LvmBatch, AChangeByWhoeverDoesNotLockIsNotLost) {
  const Scene scene;
  class Meddled final : public Progress {
   public:
    explicit Meddled(LvmFake fake) : fake_(std::move(fake)) {}
    void event(const ProgressEvent& event) override {
      if (event.kind == ProgressEvent::Kind::advance && event.done == 2) {
        fake_.raise_seqno();
      }
    }
    LvmFake fake_;
  } meddled(scene.fake());
  const auto cloned = scene.batch().clone("gold", webs(5), meddled);
  ASSERT_TRUE(fails(cloned, ErrorCode::busy));
  EXPECT_THAT(cloned.error().what, HasSubstr("does not keep LVM's lock"));
  EXPECT_EQ(scene.volumes().size(), 1U);
  EXPECT_EQ(scene.fake().disorder(), "");
}

std::string refusal_of(const Result<Refusal>& result) {
  return !result ? "error: " + result.error().what : result->value_or("it was done");
}

TEST(LvmBatch, WhatABatchCannotDoIsLeftToLvm) {
  const Scene scene;
  ASSERT_TRUE(ok(scene.clone(webs(5))));
  const State before = scene.volumes();
  SilentProgress silent;
  EXPECT_EQ(refusal_of(scene.batch(false).clone("gold", webs(4, 11), silent)), "the pool is not active");
  EXPECT_THAT(refusal_of(scene.clone({"a", "b", "c", "snapshot-1"})), HasSubstr("the name 'snapshot-1'"));
  EXPECT_THAT(refusal_of(scene.clone({"a", "b", "c", "my_tmeta-1"})), HasSubstr("the name 'my_tmeta-1'"));
  EXPECT_THAT(refusal_of(scene.clone({"a", "b", "c", "web-1"})), HasSubstr("the name 'web-1'"));
  EXPECT_THAT(refusal_of(scene.clone({"a", "b", "c", "pool"})), HasSubstr("the name 'pool'"));
  EXPECT_THAT(refusal_of(scene.remove({"web-1", "pool"})), HasSubstr("'pool' is more than a plain thin snapshot"));
  EXPECT_THAT(refusal_of(scene.reset({"gold"})), HasSubstr("'gold' is more than"));
  EXPECT_THAT(refusal_of(scene.remove({"gold"})), HasSubstr("'web-1' was made from one of them"));
  ASSERT_TRUE(ok(scene.fake().run({"lvcreate", "-s", "-n", "mine", "vg0/web-2"}, "")));
  EXPECT_THAT(refusal_of(scene.remove(webs(4))), HasSubstr("'mine' was made from one of them"));
  EXPECT_THAT(refusal_of(scene.reset(webs(4))), HasSubstr("'mine' was made from one of them"));
  State after = scene.volumes();
  after.erase("mine");
  EXPECT_EQ(after, before);
  EXPECT_EQ(scene.fake().disorder(), "");
}

// Activated by hand between the store's look and LVM's lock: its device would stay as it is.
TEST(LvmBatch, WhatIsActiveIsLeftToLvm) {
  const Scene scene;
  ASSERT_TRUE(ok(scene.clone(webs(5))));
  const State before = scene.volumes();
  const auto with_active = [&](const std::string& device) {
    auto machine = std::make_unique<LvmFake>(scene.path());
    machine->mapped = {"vg0-pool-tpool", device};
    return LvmBatch(std::move(machine), LvmCommands{"vg0", "pool"}, scene.path() / "journal");
  };
  SilentProgress silent;
  const auto renames = Scene::renames(webs(4), true);
  EXPECT_EQ(refusal_of(with_active("vg0-web--2").remove(webs(4), silent)), "'web-2' is active");
  EXPECT_EQ(refusal_of(with_active("vg0-web--2").reset(renames, silent)), "'web-2' is active");
  EXPECT_EQ(refusal_of(with_active("vg0-web--2").rename(renames)), "'web-2' is active");
  EXPECT_EQ(refusal_of(with_active("vg0-web--2").map(webs(4))), "'web-2' is active");
  EXPECT_EQ(refusal_of(with_active("vg0-gold").reset(renames, silent)), "'gold' is active");
  EXPECT_EQ(refusal_of(with_active("vg0-gold").clone("gold", webs(4, 11), silent)), "'gold' is active");
  EXPECT_EQ(scene.volumes(), before);
  EXPECT_EQ(refusal_of(with_active("vg0-web--5").remove(webs(4), silent)), "it was done");
}

TEST(LvmBatch, MetadataThatSomebodyHoldsAreNotTakenFromHim) {
  const Scene scene;
  EXPECT_TRUE(killed(in_child("DOMSMITH_FAIL", "fake.held", [&] { (void)scene.fake().devices("", ""); })));
  EXPECT_EQ(refusal_of(scene.clone(webs(5))), "held twice");
  EXPECT_EQ(scene.fake().disorder(), "the pool's metadata are held");
}

TEST(LvmBatch, APoolOutOfStepIsLeftToLvm) {
  const Scene scene;
  ASSERT_TRUE(ok(scene.fake().set_transaction("", 1, 5)));
  EXPECT_THAT(refusal_of(scene.clone(webs(5))), HasSubstr("not in step"));
}

struct Verb {
  const char* name;
  std::function<void(const Scene&)> act;
};

std::vector<Verb> verbs() {
  return {{"clone", [](const Scene& scene) { (void)scene.clone(webs(3, 11)); }},
          {"reset", [](const Scene& scene) { (void)scene.reset(webs(3)); }},
          {"reset_fresh", [](const Scene& scene) { (void)scene.reset(webs(3), true); }},
          {"remove", [](const Scene& scene) { (void)scene.remove(webs(3)); }}};
}

class LvmBatchKilled : public ::testing::TestWithParam<Verb> {
 protected:
  static void prepare(const Scene& scene) { ASSERT_TRUE(ok(scene.clone(webs(4)))); }
  void SetUp() override {
    const Scene scene;
    prepare(scene);
    before_ = scene.volumes();
    points_ = points_of([&] { GetParam().act(scene); });
    after_ = scene.volumes();
    ASSERT_GE(points_.size(), 15U);
    ASSERT_NE(before_, after_);
  }
  // As it was or as it should be, nothing lost and nothing left over; a second recovery finds nothing.
  void expect_settled(const Scene& scene, const std::string& story) const {
    const State now = scene.volumes();
    EXPECT_TRUE(now == before_ || now == after_) << story << ": " << ::testing::PrintToString(now);
    EXPECT_EQ(scene.fake().disorder(), "") << story;
    EXPECT_FALSE(scene.recover().value()) << story;
  }
  State before_, after_;
  std::vector<std::string> points_;
};

TEST_P(LvmBatchKilled, AtEachPointItIsUndoneOrFinished) {
  for (const std::string& point : points_) {
    const Scene scene;
    prepare(scene);
    ASSERT_TRUE(killed(in_child("DOMSMITH_FAIL", point, [&] { GetParam().act(scene); }))) << point;
    ASSERT_TRUE(ok(scene.recover())) << point;
    expect_settled(scene, point);
  }
}

TEST_P(LvmBatchKilled, ARecoveryThatDiesIsRecoveredToo) {
  for (const std::string& point : points_) {
    std::vector<std::string> second;
    {
      const Scene scene;
      prepare(scene);
      ASSERT_TRUE(killed(in_child("DOMSMITH_FAIL", point, [&] { GetParam().act(scene); })));
      second = points_of([&] { (void)scene.recover(); });
    }
    for (const std::string& again : second) {
      const Scene scene;
      prepare(scene);
      ASSERT_TRUE(killed(in_child("DOMSMITH_FAIL", point, [&] { GetParam().act(scene); })));
      ASSERT_TRUE(killed(in_child("DOMSMITH_FAIL", again, [&] { (void)scene.recover(); }))) << point << " " << again;
      ASSERT_TRUE(ok(scene.recover())) << point << " " << again;
      expect_settled(scene, point + " then " + again);
    }
  }
}

TEST_P(LvmBatchKilled, AnErrorIsToldAndNothingIsHalf) {
  for (const std::string& point : points_) {
    const Scene scene;
    prepare(scene);
    (void)in_child("DOMSMITH_FAIL", point + "=error", [&] { GetParam().act(scene); });
    if (!point.starts_with("fake.") && point.find(".finish.") == std::string::npos) {
      EXPECT_EQ(scene.fake().disorder(), "") << point;  // tidied up by the verb itself
    }
    ASSERT_TRUE(ok(scene.recover())) << point;
    expect_settled(scene, point + "=error");
  }
}

// Between the crash and the recovery somebody makes volumes by hand: LVM can, and they are never touched.
TEST_P(LvmBatchKilled, VolumesMadeByHandInBetweenAreNeverTouched) {
  for (const std::string& point : points_) {
    if (point.starts_with("fake.")) {
      continue;  // LVM's own command was cut off
    }
    const Scene scene;
    prepare(scene);
    ASSERT_TRUE(killed(in_child("DOMSMITH_FAIL", point, [&] { GetParam().act(scene); })));
    for (const char* name : {"mine-1", "mine-2"}) {
      ASSERT_TRUE(ok(scene.fake().run({"lvcreate", "-s", "-n", name, "vg0/gold"}, name))) << point;
    }
    const State mine = scene.volumes();
    ASSERT_TRUE(ok(scene.recover())) << point;
    State now = scene.volumes();
    for (const char* name : {"mine-1", "mine-2"}) {
      EXPECT_EQ(now.at(name), mine.at(name)) << point;
      now.erase(name);
    }
    EXPECT_EQ(names_in(now) == names_in(before_) || names_in(now) == names_in(after_), true) << point;
    EXPECT_EQ(scene.fake().disorder(), "") << point;
  }
}

INSTANTIATE_TEST_SUITE_P(Verbs, LvmBatchKilled, ::testing::ValuesIn(verbs()),
                         [](const auto& verb) { return std::string(verb.param.name); });

TEST(LvmBatch, AnotherGroupOfTheSameNameIsNotTouchedByAnOldJournal) {
  const Scene scene;
  EXPECT_TRUE(killed(in_child("DOMSMITH_FAIL", "lvm.clone.devices.after", [&] { (void)scene.clone(webs(5)); })));
  const std::set<ThinDeviceId> there = scene.devices();
  std::string text = read_file(scene.path() / "metadata").value();
  text.replace(text.find("aBcDeF-0001"), 11, "aBcDeF-9999");
  ASSERT_TRUE(ok(write_file_atomic(scene.path() / "metadata", text)));
  EXPECT_TRUE(ok(scene.recover()));
  EXPECT_EQ(scene.devices(), there);
}

TEST(LvmBatch, APoolThatIsNotActiveIsForAsLongAsTheRecoveryTakes) {
  const Scene scene;
  EXPECT_TRUE(killed(in_child("DOMSMITH_FAIL", "lvm.clone.devices.after", [&] { (void)scene.clone(webs(5)); })));
  LvmBatch inactive = scene.batch(false);
  EXPECT_TRUE(inactive.recover().value());
  EXPECT_EQ(scene.fake().disorder(), "");
}

// Random verbs, killed at random; the model knows what there may be.
TEST(LvmBatch, RandomMixesWithRandomCrashesKeepEveryVolumeWhole) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const Scene scene;
    std::mt19937 random(seed);
    std::set<std::string> there;
    for (int round = 0; round < 12; ++round) {
      const int first = static_cast<int>(random() % 8) + 1;
      const std::vector<std::string> names = webs(4, first);
      const bool all_there = std::ranges::all_of(names, [&](const auto& name) { return there.contains(name); });
      const bool none_there = std::ranges::none_of(names, [&](const auto& name) { return there.contains(name); });
      if (!all_there && !none_there) {
        continue;
      }
      const bool reset = all_there && random() % 2 == 0;
      const State before = scene.volumes();
      const std::string point =
          fmt::format("fake.write.{}:{}", random() % 2 == 0 ? "before" : "after", random() % 4 + 1);
      const int status = in_child("DOMSMITH_FAIL", point, [&] {
        (void)(none_there ? scene.clone(names) : reset ? scene.reset(names) : scene.remove(names));
      });
      ASSERT_TRUE(ok(scene.recover())) << "seed " << seed;
      ASSERT_EQ(scene.fake().disorder(), "") << "seed " << seed;
      std::vector<std::string> seen = names_in(scene.volumes());
      std::set<std::string> now(seen.begin(), seen.end());
      now.erase("gold");
      std::set<std::string> done = there;
      for (const std::string& name : names) {
        none_there ? (void)done.insert(name) : reset ? void() : (void)done.erase(name);
      }
      ASSERT_TRUE(now == done || (killed(status) && now == there)) << "seed " << seed << " " << point;
      there = now;
      for (const auto& [name, from] : before) {  // nobody else's volume has changed
        if (std::ranges::find(names, name) == names.end()) {
          ASSERT_EQ(scene.volumes().at(name), from) << "seed " << seed;
        }
      }
    }
  }
}

}  // namespace

}  // namespace domsmith::testing
