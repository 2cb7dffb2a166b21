// Batches on real LVM and a real thin pool: that LVM, vgck, thin_check and volumes made by hand agree with them,
// before, between and after, and that a process killed at any point is recovered. (lvm_batch_test.cc: the same without
// LVM.)
#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "lvm-snapshots/lvm_config.h"
#include "lvm-snapshots/lvm_disk.h"
#include "lvm-snapshots/lvm_flush.h"
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

// Without DOMSMITH_TEST_ALL those after which something is different; each takes five seconds in the lab. `wide`: a
// group of several areas, where only the moments between these are others.
bool worth_a_kill(const std::string& point, bool wide) {
  const char* all = std::getenv("DOMSMITH_TEST_ALL");
  if (wide && (all == nullptr || *all == '\0')) {
    return point.starts_with("lvm.write.pointer");
  }
  const bool changes = point.starts_with("lvm.batch.") || point.ends_with(".after") ||
                       point.starts_with("lvm.write.pointer") || point == "lvm.write.flushed:1";
  const bool journal = point.find(".begin.") != std::string::npos || point.find(".finish.") != std::string::npos;
  return (all != nullptr && *all != '\0') || (changes && !journal);
}

// Each pass of those that write the metadata, the first of the others.
std::set<std::string> passes_in(const std::string& trace) {
  std::set<std::string> points;
  std::map<std::string, int> passes;
  for (const std::string& line : split_lines(read_file(trace).value())) {
    const int pass = ++passes[line];
    points.insert(line.starts_with("lvm.write.") ? fmt::format("{}:{}", line, pass) : line);
  }
  return points;
}

struct Killed {
  std::string verb;
  std::set<std::string> before, after;
  std::function<void(VolumeStore&)> act;
};

TEST_P(LvmBatchLab, KilledAnywhereItIsUndoneOrFinished) {
  make_golden();
  const auto folder = TemporaryDirectory::make().value();
  const bool wide = lvm_specs("DOMSMITH_TEST_LVM_WIDE").front() == GetParam();
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
    const std::set<std::string> points = passes_in(trace);
    ASSERT_TRUE(points.contains("lvm." + verb.verb + ".metadata.after"));
    ASSERT_TRUE(points.contains("lvm.write.area:2")) << "LVM's own commands have written";
    for (const std::string& point : points) {
      if (!worth_a_kill(point, wide)) {
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

// What a file of LVM's holds, or the disks: the group alone, not who wrote it.
LvmConfigNode group_of(const std::string& text, const std::string& group) {
  const auto root = parse_lvm_config(text, "metadata");
  EXPECT_TRUE(ok(root));
  const LvmConfigNode* found = root ? root->find(group) : nullptr;
  EXPECT_NE(found, nullptr);
  return found == nullptr ? LvmConfigNode() : *found;
}

std::string setting(const std::string& printed) {
  const auto from = printed.find('"') + 1;
  return printed.substr(from, printed.rfind('"') - from);
}

TEST_P(LvmBatchLab, LvmReadsWhatIsWrittenPastIt) {
  make_golden();
  const auto store = open_store(GetParam()).value();
  const auto folder = TemporaryDirectory::make().value();
  const std::string file = folder.path() / "metadata";
  const auto kept = [&](const char* what) {
    return setting(lvm({"lvmconfig", "--typeconfig", "full", "--config", "backup{}", what}));
  };
  const auto expect_same = [&](const std::string& story) {
    const std::string text = read_group_disks(group_, disks_below(group_)).value().agreed.text;
    EXPECT_THAT(text, HasSubstr("description = \"Write from domsmith.\"")) << story;
    lvm({"vgcfgbackup", "-q", "-f", file, group_});
    EXPECT_EQ(group_of(read_file(file).value(), group_), group_of(text, group_)) << story;
    EXPECT_EQ(group_of(read_file(kept("backup/backup_dir") + "/" + group_).value(), group_), group_of(text, group_))
        << story;
  };
  const std::string before = read_group_disks(group_, disks_below(group_)).value().agreed.text;
  const auto archived = [&] { return lvm({"vgcfgrestore", "-l", group_}); };
  const std::string list = archived();
  ASSERT_TRUE(ok(store->clone(name("gold"), webs(1, 5))));
  expect_same("clone");
  std::string newest;
  for (const auto& entry : std::filesystem::directory_iterator(kept("backup/archive_dir"))) {
    const std::string path = entry.path().string();
    newest = list.find(path) == std::string::npos && path.find("/" + group_ + "_") != std::string::npos ? path : newest;
  }
  ASSERT_NE(newest, "") << "there is no archive of before";
  EXPECT_EQ(group_of(read_file(newest).value(), group_), group_of(before, group_));
  EXPECT_THAT(archived(), HasSubstr("Created *before* executing 'domsmith'"));
  ASSERT_TRUE(ok(store->reset(webs(1, 5))));
  expect_same("reset");
  ASSERT_TRUE(ok(store->remove(webs(1, 4))));
  expect_same("remove");
}

// Its disks differ from the first pointer on; LVM takes the highest number, and brings the others up to it.
TEST_P(LvmBatchLab, ADiskThatIsShortOfItsPointer) {
  const auto disks = [&] { return read_group_disks(group_, disks_below(group_), "/nowhere"); };
  const auto start = disks();
  ASSERT_TRUE(ok(start));
  if (start->disks.size() < 3) {
    GTEST_SKIP() << "the group has one disk";
  }
  make_golden();
  const auto cloned = [&](VolumeStore& store) {
    if (!store.clone(name("gold"), webs(1, 5))) {
      std::abort();
    }
  };
  for (const bool by_hand : {false, true}) {
    const int status = in_child("DOMSMITH_FAIL", "lvm.write.area", cloned);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    EXPECT_TRUE(fails(disks(), ErrorCode::busy));
    EXPECT_THAT(clones(), ::testing::UnorderedElementsAreArray(webs(1, 5)));
    if (by_hand) {
      make_by_hand("mine");
      EXPECT_TRUE(ok(disks()));
    }
    const auto store = open_store(GetParam()).value();
    ASSERT_TRUE(ok(store->recover()));
    EXPECT_TRUE(ok(disks())) << "the recovery has written";
    expect_order(by_hand ? "by hand" : "recovered");
    if (by_hand) {
      remove_by_hand("mine");
    }
    ASSERT_TRUE(ok(store->remove(webs(1, 5))));
  }
  // One that takes no pointer does not hold up the others: it is done, to LVM too.
  EXPECT_EQ(in_child("DOMSMITH_FAIL", "lvm.write.before:2=error", cloned), 0);
  const auto store = open_store(GetParam()).value();
  ASSERT_TRUE(ok(store->reset(webs(1, 5))));
  EXPECT_TRUE(ok(disks()));
  expect_order("after an error");
  EXPECT_EQ(read(*store, name("web-2")), "golden");
}

// The same batches by vgcfgrestore, where LVM would write more than a text.
TEST_P(LvmBatchLab, WhereLvmManagesItsAreasItWrites) {
  const auto disks = read_group_disks(group_, disks_below(group_), "/nowhere");
  if (!disks || disks->disks.size() < 3) {
    GTEST_SKIP() << "the group has one disk";
  }
  make_golden();
  lvm({"vgchange", "-q", "--vgmetadatacopies", "2", group_});
  const auto folder = TemporaryDirectory::make().value();
  const auto trace = folder.path() / "trace";
  const auto store = open_store(GetParam()).value();
  int step = transaction();
  EXPECT_EQ(in_child("DOMSMITH_FAIL_TRACE", trace.string(),
                     [&](VolumeStore& mine) { (void)mine.clone(name("gold"), webs(1, 6)); }),
            0);
  const std::string points = read_file(trace).value();
  EXPECT_THAT(points, HasSubstr("lvm.batch.device"));
  EXPECT_THAT(points, Not(HasSubstr("lvm.write.")));
  EXPECT_EQ(transaction(), ++step);
  write(*store, name("web-3"), "spoilt");
  step = transaction();
  ASSERT_TRUE(ok(store->reset(webs(2, 6))));
  EXPECT_EQ(transaction(), ++step);
  EXPECT_EQ(read(*store, name("web-3")), "golden");
  make_by_hand("mine");
  step = transaction();
  ASSERT_TRUE(ok(store->remove(webs(1, 4))));
  EXPECT_EQ(transaction(), ++step);
  remove_by_hand("mine");
  lvm({"vgchange", "-q", "--vgmetadatacopies", "all", group_});
  expect_order("all areas again");
  ASSERT_TRUE(ok(store->remove(webs(5, 6))));
}

// As those that are tested everywhere, and a group of three disks where there is one.
std::vector<std::string> batch_specs() {
  std::vector<std::string> specs = lvm_specs();
  std::ranges::copy_if(lvm_specs("DOMSMITH_TEST_LVM_WIDE"), std::back_inserter(specs),
                       [](const std::string& spec) { return !spec.empty(); });
  return specs;
}

INSTANTIATE_TEST_SUITE_P(Lvm, LvmBatchLab, ::testing::ValuesIn(batch_specs()), lvm_label);

}  // namespace

}  // namespace domsmith::testing
