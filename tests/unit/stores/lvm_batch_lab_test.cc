// Batches on real LVM and a real thin pool: that LVM, vgck, thin_check and volumes made by hand agree with them,
// before, between and after, and that a process killed at any point is recovered. (lvm_batch_test.cc: the same without
// LVM.)
#include <fmt/format.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "tests/unit/stores/lvm_lab.h"

namespace domsmith::testing {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LvmBatchLab : public LvmLab {
 protected:
  void SetUp() override {
    LvmLab::SetUp();
    if (!IsSkipped() && !thin()) {
      GTEST_SKIP() << "batches are for thin pools";
    }
  }

  [[nodiscard]] std::vector<std::string> webs(int first, int last) const {
    std::vector<std::string> names;
    for (int i = first; i <= last; ++i) {
      names.push_back(name(fmt::format("web-{}", i)));
    }
    return names;
  }
  [[nodiscard]] std::string path(const std::string& volume) const { return group_ + "/" + volume; }
  [[nodiscard]] int transaction() const {
    return std::stoi(lvm({"lvs", "--noheadings", "-o", "transaction_id", path(pool_)}));
  }
  [[nodiscard]] std::set<std::string> words(const std::string& text) const {
    std::istringstream in(text);
    return {std::istream_iterator<std::string>(in), {}};
  }
  // This test's clones, as LVM lists them.
  [[nodiscard]] std::set<std::string> clones() const {
    std::set<std::string> mine;
    for (const std::string& word : words(lvm({"lvs", "--noheadings", "-o", "lv_name", group_}))) {
      if (word.starts_with(name("web-"))) {
        mine.insert(word.substr(0, word.find('.')));  // fresh or not
      }
    }
    return mine;
  }
  // LVM is content, and the kernel's pool holds the devices that the group's volumes have, and no other.
  void expect_order(const std::string& story) const {
    lvm({"vgck", group_});
    const std::string device = fmt::format("{}-{}-tpool", group_, pool_);
    lvm({"dmsetup", "message", device, "0", "reserve_metadata_snap"});
    const auto there = words(
        lvm({"thin_ls", "-m", "--no-headers", "-o", "DEV", fmt::format("/dev/mapper/{}-{}_tmeta", group_, pool_)}));
    lvm({"dmsetup", "message", device, "0", "release_metadata_snap"});
    EXPECT_EQ(there, words(lvm({"lvs", "--noheadings", "-o", "thin_id", group_}))) << story;
    expect_lvm_reports_the_same(story);
  }
  // LVM runs thin_check when it activates the pool, and refuses where that finds fault.
  void check_pool() const {
    lvm({"lvchange", "-an", path(pool_)});
    lvm({"lvchange", "-ay", path(pool_)});
  }
  void make_by_hand(const std::string& word) const {
    lvm({"lvcreate", "-q", "-y", "-s", "-n", name(word), path(name("gold"))});
  }
  void remove_by_hand(const std::string& word) const { lvm({"lvremove", "-q", "-y", path(name(word))}); }
  std::string read(VolumeStore& store, const std::string& volume) const {
    const auto target = store.open(volume, Access::read_only);
    std::string text(6, '?');
    EXPECT_TRUE(ok(target));
    EXPECT_TRUE(target && ok((*target)->read(0, std::as_writable_bytes(std::span(text)))));
    return text;
  }
  void write(VolumeStore& store, const std::string& volume, const std::string& text) const {
    const auto target = store.open(volume, Access::read_write);
    ASSERT_TRUE(ok(target));
    ASSERT_TRUE(ok((*target)->write(0, std::as_bytes(std::span(text)))));
  }
  void make_golden() const {
    const auto store = open_store(GetParam()).value();
    ASSERT_TRUE(ok(store->create(name("gold"), 8 << 20)));
    write(*store, name("gold"), "golden");
    ASSERT_TRUE(ok(store->seal(name("gold"))));
  }
};

TEST_P(LvmBatchLab, LvmAgreesWithBatchesAndTheyWithIt) {
  make_golden();
  const auto store = open_store(GetParam()).value();
  make_by_hand("mine-1");
  int step = transaction();
  ASSERT_TRUE(ok(store->clone(name("gold"), webs(1, 12))));
  EXPECT_EQ(transaction(), ++step);  // one transaction, not twelve
  expect_order("after clone");
  make_by_hand("mine-2");
  const std::string shown = lvm({"lvs", "--noheadings", "--separator", " ", "-o",
                                 "lv_name,lv_tags,lv_skip_activation,origin,lv_attr,lv_host", group_});
  for (const char* clone : {"web-1", "web-12"}) {  // by the batch, and by LVM itself
    EXPECT_THAT(shown, HasSubstr(fmt::format("{} domsmith,domsmith.clone skip activation {} Vwi---t",
                                             name(clone) + ".fresh", name("gold"))));
  }
  write(*store, name("web-3"), "spoilt");
  step = transaction();
  ASSERT_TRUE(ok(store->reset(webs(2, 9))));
  EXPECT_EQ(transaction(), ++step);
  expect_order("after reset");
  EXPECT_EQ(read(*store, name("web-3")), "golden");
  EXPECT_EQ(read(*store, name("web-12")), "golden");
  remove_by_hand("mine-1");
  check_pool();
  step = transaction();
  ASSERT_TRUE(ok(store->remove(webs(4, 12))));
  EXPECT_EQ(transaction(), ++step);
  expect_order("after remove");
  remove_by_hand("mine-2");
  make_by_hand("mine-3");
  EXPECT_EQ(read(*store, name("web-3")), "golden");
  remove_by_hand("mine-3");
  expect_order("at the end");
  check_pool();
}

TEST_P(LvmBatchLab, AnActiveGoldenVolumeIsClonedByLvm) {
  make_golden();
  const auto store = open_store(GetParam()).value();
  const auto held = store->open(name("gold"), Access::read_only);
  const int step = transaction();
  ASSERT_TRUE(ok(store->clone(name("gold"), webs(1, 5))));
  EXPECT_EQ(transaction(), step + 5);
  EXPECT_EQ(read(*store, name("web-2")), "golden");
}

// Without DOMSMITH_TEST_ALL those after which something is different; each takes five seconds in the lab.
bool worth_a_kill(const std::string& point) {
  const char* all = std::getenv("DOMSMITH_TEST_ALL");
  const bool changes = point.starts_with("lvm.batch.") || point.ends_with(".after");
  const bool journal = point.find(".begin.") != std::string::npos || point.find(".finish.") != std::string::npos;
  return (all != nullptr && *all != '\0') || (changes && !journal);
}

struct Killed {
  std::string verb;
  std::set<std::string> before, after;
  std::function<void(VolumeStore&)> act;
};

TEST_P(LvmBatchLab, KilledAnywhereItIsUndoneOrFinished) {
  make_golden();
  const auto folder = TemporaryDirectory::make().value();
  const auto set_of = [](const std::vector<std::string>& names) { return std::set(names.begin(), names.end()); };
  const std::vector<Killed> verbs = {
      {"clone", {}, set_of(webs(1, 5)), [&](VolumeStore& store) { (void)store.clone(name("gold"), webs(1, 5)); }},
      {"reset", set_of(webs(1, 5)), set_of(webs(1, 5)), [&](VolumeStore& store) { (void)store.reset(webs(1, 5)); }},
      {"remove", set_of(webs(1, 5)), {}, [&](VolumeStore& store) { (void)store.remove(webs(1, 5)); }}};
  const auto prepare = [&](const Killed& verb) {
    const auto store = open_store(GetParam()).value();
    ASSERT_TRUE(ok(store->remove(webs(1, 5))));
    if (!verb.before.empty()) {
      ASSERT_TRUE(ok(store->clone(name("gold"), webs(1, 5))));
    }
  };
  for (const Killed& verb : verbs) {
    prepare(verb);
    const std::string trace = folder.path() / verb.verb;
    ASSERT_EQ(in_child("DOMSMITH_FAIL_TRACE", trace, verb.act), 0);
    ASSERT_EQ(clones(), verb.after);
    const auto lines = split_lines(read_file(trace).value());
    const std::set<std::string> points(lines.begin(), lines.end());
    ASSERT_TRUE(points.contains("lvm." + verb.verb + ".metadata.after"));
    for (const std::string& point : points) {
      if (!worth_a_kill(point)) {
        continue;
      }
      prepare(verb);
      const int status = in_child("DOMSMITH_FAIL", point, verb.act);
      ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << point;
      make_by_hand("mine");  // LVM works in between
      const auto store = open_store(GetParam()).value();
      ASSERT_TRUE(ok(store->recover())) << point;
      const std::set<std::string> now = clones();
      EXPECT_TRUE(now == verb.before || now == verb.after) << point << ": " << ::testing::PrintToString(now);
      expect_order(point);
      if (!now.empty()) {
        EXPECT_EQ(read(*store, *now.begin()), "golden") << point;
      }
      remove_by_hand("mine");
    }
  }
  check_pool();
}

INSTANTIATE_TEST_SUITE_P(Lvm, LvmBatchLab, ::testing::ValuesIn(lvm_specs()), lvm_label);

}  // namespace

}  // namespace domsmith::testing
