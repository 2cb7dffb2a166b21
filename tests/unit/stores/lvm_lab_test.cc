// What only real LVM shows.
#include "tests/unit/stores/lvm_lab.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "base/fail_point.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/text.h"
#include "lvm-snapshots/lvm_disk.h"
#include "lvm-snapshots/lvm_flush.h"
#include "lvm-snapshots/lvm_kernel.h"
#include "lvm-snapshots/store_spec.h"

namespace domsmith::testing {

void LvmLab::SetUp() {
  if (GetParam().empty()) {
    GTEST_SKIP() << "DOMSMITH_TEST_LVM names no LVM store to test";
  }
  const StoreSpec spec = parse_store_spec(GetParam()).value();
  group_ = spec.group;
  pool_ = spec.pool;
  prefix_ = "lab" + std::to_string(::getpid()) + "-";
}

void LvmLab::TearDown() {
  if (!group_.empty()) {
    remove_volumes(GetParam(), prefix_);
  }
}

std::string LvmLab::lvm(std::vector<std::string> argv) {
  argv[0] = find_program(argv[0]).value();
  std::vector<std::string> environment;  // where the LVM under test has its settings and nodes, theirs are too
  for (const std::string variable : {"LVM_SYSTEM_DIR", "DM_DISABLE_UDEV"}) {
    if (const char* value = std::getenv(variable.c_str()); value != nullptr) {
      environment.push_back(variable + "=" + value);
    }
  }
  const auto done = run_checked({std::move(argv), std::move(environment), {}});
  EXPECT_TRUE(ok(done));
  return done ? done->out : "";
}

void LvmLab::make_golden_and_clones(const std::vector<std::string>& clones) {
  const auto store = open_store(GetParam()).value();
  ASSERT_TRUE(ok(store->create(name("gold"), 8 << 20)));
  ASSERT_TRUE(ok(store->seal(name("gold"))));
  ASSERT_TRUE(ok(store->clone(name("gold"), clones)));
}

int LvmLab::in_child(const char* variable, const std::string& value, const std::function<void(VolumeStore&)>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv(variable, value.c_str(), 1);
    action(*open_store(GetParam()).value());
    ::_exit(0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

void LvmLab::in_dying_child(const std::function<void(VolumeStore&)>& action) {
  const int status = in_child("DOMSMITH_TEST_CHILD", "1", action);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

namespace {

std::string text_of(const LvmVolume& volume) {
  return fmt::format("{} ({}{}) size {} allocated {} kind {}{}{} pool '{}' origin '{}' metadata {} {}", volume.name,
                     volume.lv, volume.fresh ? ", fresh" : "", volume.size, volume.allocated,
                     volume.kind ? static_cast<int>(*volume.kind) : -1, volume.active ? " active" : "",
                     volume.open && !volume.thin_pool ? " open" : "", volume.pool, volume.origin, volume.metadata_size,
                     volume.thin_pool ? (volume.zeroes ? "zeroing pool" : "pool") : "");
}

// LVM says 0.01 where there is anything at all.
bool near(const std::optional<double>& one, const std::optional<double>& other) {
  return one.has_value() == other.has_value() && std::abs(one.value_or(0) - other.value_or(0)) <= 0.01;
}

}  // namespace

void LvmLab::expect_lvm_reports_the_same(const std::string& story) const {
  const auto reported = parse_lvm_report(lvm(report_volumes_command(group_)));
  const auto disks = read_group_disks(group_, disks_below(group_));
  const auto mapped = mapped_volumes(group_);
  ASSERT_TRUE(ok(reported) && ok(disks) && ok(mapped)) << story;
  EXPECT_THAT(disks->agreed.text,
              ::testing::HasSubstr(
                  fmt::format("\nseqno = {}\n", trimmed(lvm({"vgs", "--noheadings", "-o", "vg_seqno", group_})))))
      << story;
  auto seen = group_of_text(disks->agreed, group_);
  ASSERT_TRUE(ok(seen)) << story;
  ASSERT_TRUE(seen->has_value()) << story;
  add_mapped(**seen, *mapped);
  EXPECT_EQ((*seen)->size, reported->size) << story;
  EXPECT_EQ((*seen)->free, reported->free) << story;
  EXPECT_EQ((*seen)->metadata_free, reported->metadata_free) << story;
  ASSERT_EQ((*seen)->volumes.size(), reported->volumes.size()) << story;
  for (std::size_t i = 0; i < reported->volumes.size(); ++i) {
    const LvmVolume& ours = (*seen)->volumes[i];
    const LvmVolume& theirs = reported->volumes[i];
    EXPECT_EQ(text_of(ours), text_of(theirs)) << story;
    EXPECT_TRUE(near(ours.data_percent, theirs.data_percent)) << ours.lv << ' ' << story;
    EXPECT_TRUE(near(ours.metadata_percent, theirs.metadata_percent)) << ours.lv << ' ' << story;
  }
}

namespace {

using ::testing::HasSubstr;

TEST_P(LvmLab, WhatIsReadPastLvmIsWhatLvmReports) {
  if (!thin()) {
    GTEST_SKIP() << "classic snapshots are left to LVM";
  }
  make_golden_and_clones({name("web-1"), name("web-2"), name("web-3"), name("web-4"), name("web-5")});
  expect_lvm_reports_the_same("fresh clones");
  const auto store = open_store(GetParam()).value();
  ASSERT_TRUE(ok(store->settle(std::vector{name("web-1")}, VolumeStore::Settled::activated,
                               [](std::string_view, BlockTarget& target) {
                                 return target.write(0, std::vector(std::size_t{1} << 20, std::byte{1}));
                               })));
  expect_lvm_reports_the_same("one is active");
  {
    const Fd open = open_fd("/dev/" + group_ + "/" + name("web-1"), O_RDONLY).value();
    expect_lvm_reports_the_same("one is open");
  }
  lvm({"lvcreate", "-q", "-y", "-n", name("plain"), "-L", "8m", group_});
  lvm({"lvcreate", "-q", "-y", "-T", "-V", "1g", "-n", name("thin"), group_ + "/" + pool_});
  expect_lvm_reports_the_same("volumes of others");
  lvm({"lvremove", "-q", "-y", group_ + "/" + name("plain"), group_ + "/" + name("thin")});
  EXPECT_TRUE(ok(store->deactivate(name("web-1"))));
}

TEST_P(LvmLab, AUsersOwnVolumesAreNeverListedNorTouched) {
  const std::string theirs = name("theirs");
  lvm({"lvcreate", "-y", "-an", "-Wn", "-Zn", "-L", "4M", "-n", theirs, group_});
  const auto store = open_store(GetParam()).value();
  EXPECT_TRUE(fails(store->find(theirs), ErrorCode::not_found));
  const auto taken = store->create(theirs, 8 << 20);
  ASSERT_TRUE(fails(taken, ErrorCode::exists));
  EXPECT_THAT(taken.error().what, HasSubstr("not domsmith's"));
  EXPECT_TRUE(ok(store->remove(std::vector{theirs})));
  EXPECT_THAT(lvm({"lvs", "--noheadings", "-o", "lv_name", group_}), HasSubstr(theirs));
  lvm({"lvremove", "-y", group_ + "/" + theirs});
}

TEST_P(LvmLab, LvmShowsWhatThingsAre) {
  make_golden_and_clones({name("web-1")});
  const std::string shown = lvm(
      {"lvs", "--noheadings", "--separator", " ", "-o", "lv_name,lv_tags,lv_skip_activation,origin,lv_attr", group_});
  EXPECT_THAT(shown, HasSubstr(name("gold") + " domsmith,domsmith.golden skip activation"));
  const std::string lv = name("web-1") + (thin() ? ".fresh" : "");
  EXPECT_THAT(shown, HasSubstr(lv + " domsmith,domsmith.clone skip activation " + name("gold")));
  EXPECT_NE(::access(("/dev/" + group_ + "/" + name("web-1")).c_str(), F_OK), 0);
}

// While it is written, no device has its final name.
TEST_P(LvmLab, AVolumeGetsItsNameWhenItIsWhole) {
  const std::string device = "/dev/" + group_ + "/" + name("gold");
  const auto store = open_store(GetParam()).value();
  ASSERT_TRUE(ok(store->create(name("gold"), 8 << 20)));
  {
    const auto held = store->open(name("gold"), Access::read_write);
    ASSERT_TRUE(ok(held));
    EXPECT_NE(::access(device.c_str(), F_OK), 0);
    EXPECT_EQ(::access((device + ".staging").c_str(), F_OK), 0);
    EXPECT_EQ(store->find(name("gold")).value().device, device + ".staging");
  }
  EXPECT_TRUE(fails(store->create(name("gold"), 8 << 20), ErrorCode::exists));
  ASSERT_TRUE(ok(store->seal(name("gold"))));
  EXPECT_THAT(lvm({"lvs", "--noheadings", "-o", "lv_tags", group_ + "/" + name("gold")}), HasSubstr("golden"));
}

std::string bytes_of(BlockTarget& target, std::uint64_t offset, std::size_t count) {
  std::string bytes(count, '?');
  EXPECT_TRUE(ok(target.read(offset, std::as_writable_bytes(std::span(bytes)))));
  return bytes;
}

void fill(VolumeStore& store, const std::string& volume, std::uint64_t offset, std::size_t count) {
  const auto target = store.open(volume, Access::read_write);
  ASSERT_TRUE(ok(target));
  const std::string text(count, 'x');
  ASSERT_TRUE(ok((*target)->write(offset, std::as_bytes(std::span(text)))));
  ASSERT_TRUE(ok((*target)->flush()));
}

// dm-thin cannot punch holes: writing zeroes would take what is to be given back.
TEST_P(LvmLab, WhatIsDiscardedIsGivenBackAndReadsAsZeroes) {
  if (!thin()) {
    GTEST_SKIP() << "a classic volume has its room for good";
  }
  const auto store = open_store(GetParam()).value();
  ASSERT_TRUE(ok(store->create(name("gold"), 16 << 20)));
  fill(*store, name("gold"), 1000, 8 << 20);
  const auto target = store->open(name("gold"), Access::read_write);
  ASSERT_TRUE(ok(target));
  ASSERT_TRUE(ok((*target)->discard(5000, (16 << 20) - 5000)));
  ASSERT_TRUE(ok((*target)->flush()));
  EXPECT_EQ(bytes_of(**target, 1000, 8 << 20), std::string(4000, 'x') + std::string((8 << 20) - 4000, '\0'));
  EXPECT_LT(store->find(name("gold")).value().used, 1U << 20);
}

// In such a pool a chunk holds what its former owner wrote, wherever the new one does not write.
TEST_P(LvmLab, NothingOfAnybodyElseIsSeenInAPoolThatDoesNotZero) {
  if (!thin()) {
    GTEST_SKIP() << "there is no pool";
  }
  lvm({"lvchange", "-y", "--zero", "n", group_ + "/" + pool_});
  const auto store = open_store(GetParam()).value();
  ASSERT_TRUE(ok(store->create(name("other"), 16 << 20)));
  fill(*store, name("other"), 0, 16 << 20);
  ASSERT_TRUE(ok(store->remove(std::vector{name("other")})));
  ASSERT_TRUE(ok(store->create(name("gold"), 16 << 20)));
  fill(*store, name("gold"), 4096, 1);
  {
    const auto target = store->open(name("gold"), Access::read_write);
    ASSERT_TRUE(ok(target));
    EXPECT_EQ(bytes_of(**target, 4097, 1 << 20), std::string(1 << 20, '\0'));
    ASSERT_TRUE(ok((*target)->discard(0, 16 << 20)));
  }
  fill(*store, name("gold"), 4096, 1);
  const auto target = store->open(name("gold"), Access::read_only);
  ASSERT_TRUE(ok(target));
  EXPECT_EQ(bytes_of(**target, 4097, 1 << 20), std::string(1 << 20, '\0'));
  lvm({"lvchange", "-y", "--zero", "y", group_ + "/" + pool_});
}

// Whatever anybody activates, the device that a domain's config names is not there.
TEST_P(LvmLab, NobodyCanRunAFreshClone) {
  if (!thin()) {
    GTEST_SKIP() << "classic clones are settled at once";
  }
  make_golden_and_clones({name("web-1")});
  const std::string device = "/dev/" + group_ + "/" + name("web-1");
  EXPECT_EQ(open_store(GetParam()).value()->find(name("web-1")).value().device, device);
  lvm({"vgchange", "-ay", "-K", group_});
  EXPECT_NE(::access(device.c_str(), F_OK), 0);
  EXPECT_EQ(::access((device + ".fresh").c_str(), F_OK), 0);
  lvm({"lvchange", "-an", group_ + "/" + name("gold"), group_ + "/" + name("web-1") + ".fresh"});
  const auto store = open_store(GetParam()).value();
  ASSERT_TRUE(ok(store->settle(std::vector{name("web-1")}, VolumeStore::Settled::activated,
                               [](std::string_view, BlockTarget&) { return Result<void>(); })));
  EXPECT_EQ(::access(device.c_str(), F_OK), 0);
  EXPECT_TRUE(ok(store->deactivate(name("web-1"))));
}

// Killed anywhere while it is settled, a clone is fresh, as its golden image, or settled.
TEST_P(LvmLab, ASettlingThatDiesIsFinishedOrUndone) {
  if (!thin()) {
    GTEST_SKIP() << "classic clones are settled at once";
  }
  const std::vector<std::string> names = {name("web-1"), name("web-2"), name("web-3"), name("web-4")};
  make_golden_and_clones(names);
  const auto fill = [](std::string_view, BlockTarget& target) -> Result<void> {
    TRY(target.write(0, std::as_bytes(std::span("half"))));
    TRY(target.flush());
    TRY(fail_point("test.half"));
    return target.write(4, std::as_bytes(std::span("whole")));
  };
  const auto text_of = [&](VolumeStore& store, const std::string& volume) {
    std::string text(9, '?');
    const auto target = store.open(volume, Access::read_only);
    EXPECT_TRUE(ok(target) && ok((*target)->read(0, std::as_writable_bytes(std::span(text)))));
    return text;
  };
  for (const char* point : {"test.half:3", "lvm.settle.filled", "lvm.rename.before", "lvm.rename.after",
                            "lvm.settle.finish.before", "lvm.renew.step:2", "lvm.batch.device:3", "lvm.batch.free"}) {
    in_dying_child([&](VolumeStore& store) {
      const bool one_by_one = std::string_view(point).starts_with("lvm.renew");  // what is too few for a batch
      // It dies while it takes back a failure.
      const bool fails = one_by_one || std::string_view(point).starts_with("lvm.batch");
      const auto these = std::span(names).first(one_by_one ? 3 : 4);
      ::setenv("DOMSMITH_FAIL", point, 1);
      (void)store.settle(these, VolumeStore::Settled::put_away, [&](std::string_view volume, BlockTarget& target) {
        const auto filled = fill(volume, target);
        return fails ? fail(ErrorCode::failed, "no more") : filled;
      });
    });
    const auto store = open_store(GetParam()).value();
    EXPECT_TRUE(ok(store->recover())) << point;
    for (const std::string& one : names) {
      const auto info = store->find(one);
      ASSERT_TRUE(ok(info)) << point;
      EXPECT_FALSE(info->active) << point;
      EXPECT_EQ(text_of(*store, one), info->fresh ? std::string(9, '\0') : "halfwhole") << point << " " << one;
    }
    ASSERT_TRUE(ok(store->reset(names))) << point;
  }
}

TEST_P(LvmLab, AMissingGroupOrPoolIsNamedWithItsRemedy) {
  const auto no_group = open_store("lvm:nosuchgroup/pool").value()->status();
  ASSERT_TRUE(fails(no_group, ErrorCode::not_found));
  EXPECT_EQ(no_group.error().what, "there is no volume group 'nosuchgroup'");
  const auto no_pool = open_store("lvm:" + group_ + "/nosuchpool").value()->list();
  ASSERT_TRUE(fails(no_pool, ErrorCode::not_found));
  EXPECT_EQ(no_pool.error().what, "VG " + group_ + " has no thin pool 'nosuchpool'");
}

TEST_P(LvmLab, AResetThatDiesIsFinishedOrUndone) {
  const std::vector<std::string> names = {name("web-1"), name("web-2")};
  make_golden_and_clones(names);
  // Two snapshots, then for each clone a removal and a renaming.
  for (const char* point : {"lvm.snapshot.after:2", "lvm.reset.step:1", "lvm.reset.step:3"}) {
    in_dying_child([&](VolumeStore& store) {
      ::setenv("DOMSMITH_FAIL", point, 1);
      (void)store.reset(names);
    });
    const auto store = open_store(GetParam()).value();
    EXPECT_TRUE(ok(store->recover())) << point;
    for (const std::string& one : names) {
      const auto info = store->find(one);
      ASSERT_TRUE(ok(info)) << point;
      EXPECT_EQ(info->origin, name("gold"));
      EXPECT_EQ(info->kind, VolumeKind::clone);
    }
    EXPECT_EQ(lvm({"lvs", "--noheadings", "-o", "lv_name", group_}).find(".reset"), std::string::npos) << point;
  }
}

TEST_P(LvmLab, ADeadHoldersVolumeIsFreeAndInactive) {
  make_golden_and_clones({name("web-1")});
  in_dying_child([&](VolumeStore& store) {
    const auto held = store.open(name("web-1"), Access::read_write);
    if (held) {
      ::raise(SIGKILL);
    }
  });
  const auto store = open_store(GetParam()).value();
  EXPECT_TRUE(ok(store->recover()));
  EXPECT_FALSE(store->find(name("web-1")).value().active);
  EXPECT_TRUE(ok(store->remove(std::vector{name("web-1")})));
}

TEST_P(LvmLab, TooMuchIsRefusedBeforeAnythingIsMade) {
  const auto store = open_store(GetParam()).value();
  if (store->status().value().method == "thin snapshot") {
    GTEST_SKIP() << "thin volumes may be larger than their pool";
  }
  EXPECT_TRUE(fails(store->create(name("huge"), 1ULL << 50), ErrorCode::no_space));
  EXPECT_TRUE(fails(store->find(name("huge")), ErrorCode::not_found));
}

TEST_P(LvmLab, StandardStreamsStayAsTheyWere) {
  FILE* const before = stdout;
  EXPECT_TRUE(ok(open_store(GetParam()).value()->list()));
  EXPECT_EQ(stdout, before);
  std::cout << "still here" << std::endl;
  EXPECT_TRUE(std::cout.good());
}

TEST_P(LvmLab, ProgramsDoNotInheritDeviceMapper) {
  make_golden_and_clones({});
  const auto held = open_store(GetParam()).value()->open(name("gold"), Access::read_only);
  ASSERT_TRUE(ok(held));
  const std::string open_there = run_checked({{find_program("ls").value(), "-l", "/proc/self/fd"}, {}, {}}).value().out;
  EXPECT_THAT(open_there, ::testing::Not(HasSubstr("/dev/mapper/control")));
  EXPECT_THAT(open_there, ::testing::Not(HasSubstr("/dev/dm-")));
}

INSTANTIATE_TEST_SUITE_P(Lvm, LvmLab, ::testing::ValuesIn(lvm_specs()), lvm_label);

}  // namespace

}  // namespace domsmith::testing
