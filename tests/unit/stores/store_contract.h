// The contract of lvm-snapshots/store.h. Every store passes it:
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, ::testing::Values(StoreMaker{…}));
#pragma once

#include <algorithm>
#include <cstring>
#include <optional>
#include <thread>

#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {

class StoreContract : public ::testing::TestWithParam<StoreMaker> {
 protected:
  void SetUp() override {
    subject_ = GetParam().make();
    if (!subject_ && !IsSkipped()) {
      FAIL() << "no store to test";
    }
  }

  VolumeStore& store() { return subject_->store(); }
  std::unique_ptr<VolumeStore> another_handle() { return subject_->another_handle(); }
  std::string name(const std::string& word) { return subject_->name(word); }
  std::vector<std::string> names(const std::vector<std::string>& words) {
    std::vector<std::string> all;
    std::ranges::transform(words, std::back_inserter(all), [this](const std::string& word) { return name(word); });
    return all;
  }
  [[nodiscard]] std::uint64_t size() const { return subject_->volume_size(); }

  // A golden volume with `text` at 1 MiB.
  void make_golden(const std::string& word, const std::string& text = "golden") {
    ASSERT_TRUE(ok(store().create(name(word), size())));
    write(word, 1U << 20, text);
    ASSERT_TRUE(ok(store().seal(name(word))));
  }
  void make_clones(const std::string& origin, const std::vector<std::string>& words) {
    ASSERT_TRUE(ok(store().clone(name(origin), names(words))));
    settle(words);
  }
  void settle(const std::vector<std::string>& words) {
    ASSERT_TRUE(ok(store().settle(names(words), VolumeStore::Settled::put_away,
                                  [](std::string_view, BlockTarget&) { return Result<void>(); })));
  }
  void write(const std::string& word, std::uint64_t offset, const std::string& text) {
    auto target = store().open(name(word), Access::read_write);
    ASSERT_TRUE(ok(target));
    ASSERT_TRUE(ok((*target)->write(offset, std::as_bytes(std::span(text)))));
    ASSERT_TRUE(ok((*target)->flush()));
  }
  std::string read(const std::string& word, std::uint64_t offset, std::size_t count) {
    auto target = store().open(name(word), Access::read_only);
    if (!target) {
      return error_text(target.error());
    }
    std::string text(count, '?');
    const auto done = (*target)->read(offset, std::as_writable_bytes(std::span(text)));
    return done ? text : error_text(done.error());
  }
  std::optional<VolumeInfo> find(const std::string& word) {
    auto info = store().find(name(word));
    return info ? std::optional(*info) : std::nullopt;
  }
  // Of the names given, those that list() shows, in its order.
  std::vector<std::string> listed(const std::vector<std::string>& words) {
    const auto wanted = names(words);
    const auto all = store().list();
    EXPECT_TRUE(ok(all));
    std::vector<std::string> seen;
    for (const VolumeInfo& info : all.value_or(std::vector<VolumeInfo>{})) {
      if (std::ranges::find(wanted, info.name) != wanted.end()) {
        seen.push_back(info.name);
      }
    }
    return seen;
  }

 private:
  std::unique_ptr<StoreUnderTest> subject_;
};

TEST_P(StoreContract, ANewVolumeIsStagingAndReadsAsZeroes) {
  const auto info = store().create(name("fresh"), size());
  ASSERT_TRUE(ok(info));
  EXPECT_EQ(info->name, name("fresh"));
  EXPECT_EQ(info->kind, VolumeKind::staging);
  EXPECT_EQ(info->size, size());
  EXPECT_FALSE(info->active);
  EXPECT_FALSE(info->device.empty());
  EXPECT_EQ(read("fresh", 0, 4096), std::string(4096, '\0'));
  EXPECT_EQ(read("fresh", size() - 512, 512), std::string(512, '\0'));
}

TEST_P(StoreContract, WhatIsWrittenIsRead) {
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  write("fresh", 4095, "across a page");
  EXPECT_EQ(read("fresh", 4094, 15), std::string("\0across a page\0", 15));
}

TEST_P(StoreContract, AnOpenVolumeHasTheVolumesSize) {
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  auto target = store().open(name("fresh"), Access::read_write);
  ASSERT_TRUE(ok(target));
  EXPECT_EQ((*target)->size(), size());
  std::array<std::byte, 2> bytes{};
  EXPECT_FALSE((*target)->read(size() - 1, bytes));
  EXPECT_FALSE((*target)->write(size() - 1, bytes));
  EXPECT_FALSE((*target)->write(UINT64_MAX, bytes));
  EXPECT_TRUE(ok((*target)->write(size() - 2, bytes)));
}

TEST_P(StoreContract, DiscardedRangesReadAsZeroes) {
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  const std::string text(1U << 20, 'x');
  write("fresh", 0, text);
  {
    auto target = store().open(name("fresh"), Access::read_write);
    ASSERT_TRUE(ok(target));
    ASSERT_TRUE(ok((*target)->discard(65536, 65536)));
  }
  EXPECT_EQ(read("fresh", 65535, 2), std::string("x\0", 2));
  EXPECT_EQ(read("fresh", 131071, 2), std::string("\0x", 2));
}

TEST_P(StoreContract, NamesAreUniqueAcrossKinds) {
  make_golden("gold");
  make_clones("gold", {"web-1"});
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  for (const char* taken : {"gold", "web-1", "fresh"}) {
    EXPECT_TRUE(fails(store().create(name(taken), size()), ErrorCode::exists));
    EXPECT_TRUE(fails(store().clone(name("gold"), names({"new", taken})), ErrorCode::exists));
  }
  EXPECT_EQ(listed({"new"}).size(), 0U);
}

TEST_P(StoreContract, BadNamesAndSizesAreRefused) {
  make_golden("gold");
  for (const std::string bad : {"", "..", "a/b", "UPPER", "-x", "x-", "a b", "web.img"}) {
    EXPECT_TRUE(fails(store().create(bad, size()), ErrorCode::bad_input)) << bad;
    EXPECT_TRUE(fails(store().clone(name("gold"), std::vector{bad}), ErrorCode::bad_input)) << bad;
    EXPECT_TRUE(fails(store().remove(std::vector{bad}), ErrorCode::bad_input)) << bad;
    EXPECT_FALSE(store().open(bad, Access::read_only)) << bad;
    EXPECT_FALSE(store().find(bad)) << bad;
  }
  EXPECT_TRUE(fails(store().create(name("empty"), 0), ErrorCode::bad_input));
  EXPECT_TRUE(fails(store().clone(name("gold"), names({"twice", "twice"})), ErrorCode::bad_input));
  EXPECT_EQ(listed({"twice", "empty"}).size(), 0U);
}

TEST_P(StoreContract, AbsentVolumesAreNotFound) {
  EXPECT_TRUE(fails(store().find(name("none")), ErrorCode::not_found));
  EXPECT_TRUE(fails(store().open(name("none"), Access::read_only), ErrorCode::not_found));
  EXPECT_TRUE(fails(store().seal(name("none")), ErrorCode::not_found));
  EXPECT_TRUE(fails(store().clone(name("none"), names({"web-1"})), ErrorCode::not_found));
  EXPECT_TRUE(fails(store().reset(names({"none"})), ErrorCode::not_found));
  EXPECT_TRUE(fails(store().activate(name("none")), ErrorCode::not_found));
  EXPECT_TRUE(fails(store().deactivate(name("none")), ErrorCode::not_found));
  EXPECT_TRUE(ok(store().remove(names({"none"}))));
}

TEST_P(StoreContract, AGoldenVolumeIsReadOnlyAndInactive) {
  make_golden("gold", "the text");
  const auto info = find("gold");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->kind, VolumeKind::golden);
  EXPECT_FALSE(info->active);
  EXPECT_TRUE(fails(store().open(name("gold"), Access::read_write), ErrorCode::unsupported));
  EXPECT_TRUE(fails(store().activate(name("gold")), ErrorCode::unsupported));
  EXPECT_EQ(read("gold", 1U << 20, 8), "the text");
  auto target = store().open(name("gold"), Access::read_only);
  ASSERT_TRUE(ok(target));
  EXPECT_FALSE((*target)->write(0, std::as_bytes(std::span("no"))));
  target->reset();
  EXPECT_FALSE(find("gold")->active);
}

TEST_P(StoreContract, SealingAgainDoesNothing) {
  make_golden("gold");
  EXPECT_TRUE(ok(store().seal(name("gold"))));
  EXPECT_EQ(find("gold")->kind, VolumeKind::golden);
}

TEST_P(StoreContract, OnlyGoldenVolumesAreCloned) {
  make_golden("gold");
  make_clones("gold", {"web-1"});
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  EXPECT_TRUE(fails(store().clone(name("fresh"), names({"web-2"})), ErrorCode::unsupported));
  EXPECT_TRUE(fails(store().clone(name("web-1"), names({"web-2"})), ErrorCode::unsupported));
  EXPECT_TRUE(fails(store().seal(name("web-1")), ErrorCode::unsupported));
}

TEST_P(StoreContract, ClonesHoldWhatTheirOriginHoldsAndAreApart) {
  make_golden("gold", "golden");
  make_clones("gold", {"web-1", "web-2"});
  const auto info = find("web-1");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->kind, VolumeKind::clone);
  EXPECT_EQ(info->origin, name("gold"));
  EXPECT_EQ(info->size, size());
  EXPECT_FALSE(info->active);
  EXPECT_FALSE(info->disk_spec.empty());
  write("web-1", 1U << 20, "mine");
  EXPECT_EQ(read("web-1", 1U << 20, 6), "mineen");
  EXPECT_EQ(read("web-2", 1U << 20, 6), "golden");
  EXPECT_EQ(read("gold", 1U << 20, 6), "golden");
  EXPECT_EQ(read("web-1", size() - 16, 16), std::string(16, '\0'));
}

TEST_P(StoreContract, NoClonesIsNoWork) {
  make_golden("gold");
  EXPECT_TRUE(ok(store().clone(name("gold"), {})));
  EXPECT_TRUE(ok(store().reset({})));
  EXPECT_TRUE(ok(store().remove({})));
}

TEST_P(StoreContract, ResetGoesBackToTheOrigin) {
  make_golden("gold", "golden");
  make_clones("gold", {"web-1", "web-2"});
  write("web-1", 1U << 20, "spoilt");
  write("web-2", 0, "spoilt");
  ASSERT_TRUE(ok(store().reset(names({"web-1", "web-2"}))));
  EXPECT_EQ(read("web-1", 1U << 20, 6), "golden");
  EXPECT_EQ(read("web-2", 0, 6), std::string(6, '\0'));
  const auto info = find("web-1");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->kind, VolumeKind::clone);
  EXPECT_EQ(info->origin, name("gold"));
  EXPECT_FALSE(info->active);
  write("web-1", 0, "writable again");
}

TEST_P(StoreContract, ResetIsAllOrNone) {
  make_golden("gold", "golden");
  make_clones("gold", {"web-1", "web-2"});
  write("web-1", 1U << 20, "mine!!");
  EXPECT_TRUE(fails(store().reset(names({"web-1", "none"})), ErrorCode::not_found));
  EXPECT_TRUE(fails(store().reset(names({"web-1", "gold"})), ErrorCode::unsupported));
  {
    const auto held = store().open(name("web-2"), Access::read_write);
    ASSERT_TRUE(ok(held));
    EXPECT_TRUE(fails(store().reset(names({"web-1", "web-2"})), ErrorCode::busy));
  }
  EXPECT_EQ(read("web-1", 1U << 20, 6), "mine!!");
}

TEST_P(StoreContract, AFreshCloneHasNoDeviceUntilItIsSettled) {
  make_golden("gold", "golden");
  ASSERT_TRUE(ok(store().clone(name("gold"), names({"web-1", "web-2"}))));
  EXPECT_EQ(find("web-1")->fresh, store().makes_fresh());
  if (store().makes_fresh()) {
    EXPECT_TRUE(fails(store().activate(name("web-1")), ErrorCode::unsupported));
    EXPECT_FALSE(find("web-1")->active);
  }
  const auto mine = [](std::string_view volume, BlockTarget& target) {
    return target.write(1U << 20, std::as_bytes(std::span(volume.substr(volume.size() - 1))));
  };
  ASSERT_TRUE(ok(store().settle(names({"web-1", "web-2"}), VolumeStore::Settled::put_away, mine)));
  EXPECT_FALSE(find("web-1")->fresh);
  EXPECT_FALSE(find("web-1")->active);
  EXPECT_EQ(read("web-1", 1U << 20, 6), "1olden");
  EXPECT_EQ(read("web-2", 1U << 20, 6), "2olden");
  ASSERT_TRUE(ok(store().activate(name("web-1"))));
  ASSERT_TRUE(ok(store().deactivate(name("web-1"))));
  ASSERT_TRUE(ok(store().reset(names({"web-1"}))));
  EXPECT_EQ(find("web-1")->fresh, store().makes_fresh());
  ASSERT_TRUE(ok(store().settle(names({"web-1"}), VolumeStore::Settled::activated, mine)));
  EXPECT_TRUE(find("web-1")->active);
  EXPECT_TRUE(fails(store().settle(names({"web-1"}), VolumeStore::Settled::activated, mine), ErrorCode::busy));
  EXPECT_TRUE(fails(store().settle(names({"gold"}), VolumeStore::Settled::put_away, mine), ErrorCode::unsupported));
  EXPECT_TRUE(ok(store().settle({}, VolumeStore::Settled::put_away, mine)));
  ASSERT_TRUE(ok(store().deactivate(name("web-1"))));
}

// What was half written is not kept: nobody knows what is in it.
TEST_P(StoreContract, AFreshCloneThatCouldNotBeSettledIsFreshStill) {
  make_golden("gold", "golden");
  ASSERT_TRUE(ok(store().clone(name("gold"), names({"web-1", "web-2"}))));
  if (!store().makes_fresh()) {
    GTEST_SKIP() << "no fresh clones here";
  }
  const auto half = [&](std::string_view volume, BlockTarget& target) -> Result<void> {
    TRY(target.write(1U << 20, std::as_bytes(std::span("half"))));
    return volume == name("web-2") ? fail(ErrorCode::failed, "no more") : Result<void>();
  };
  EXPECT_TRUE(
      fails(store().settle(names({"web-1", "web-2"}), VolumeStore::Settled::put_away, half), ErrorCode::failed));
  for (const char* word : {"web-1", "web-2"}) {
    EXPECT_TRUE(find(word)->fresh);
    EXPECT_FALSE(find(word)->active);
    EXPECT_EQ(read(word, 1U << 20, 6), "golden");
  }
}

// As many as a store makes, resets and removes in one transaction, where it can.
TEST_P(StoreContract, ManyVolumesInOneCall) {
  make_golden("gold", "golden");
  const std::vector<std::string> words = {"web-1", "web-2", "web-3", "web-4", "web-5", "web-6", "web-7"};
  make_clones("gold", words);
  EXPECT_EQ(listed(words), names(words));
  for (const std::string& word : {words.front(), words.back()}) {
    EXPECT_EQ(find(word)->kind, VolumeKind::clone);
    EXPECT_EQ(find(word)->origin, name("gold"));
    EXPECT_EQ(find(word)->size, size());
    write(word, 1U << 20, "spoilt");
  }
  EXPECT_TRUE(fails(store().clone(name("gold"), names({"a", "b", "c", "d", "web-4"})), ErrorCode::exists));
  EXPECT_TRUE(fails(store().reset(names({"web-1", "web-2", "web-3", "web-4", "none"})), ErrorCode::not_found));
  EXPECT_EQ(read("web-1", 1U << 20, 6), "spoilt");
  ASSERT_TRUE(ok(store().reset(names({"web-1", "web-2", "web-3", "web-4", "web-5"}))));
  EXPECT_EQ(read("web-1", 1U << 20, 6), "golden");
  EXPECT_EQ(read("web-7", 1U << 20, 6), "spoilt");
  ASSERT_TRUE(ok(store().remove(names({"web-1", "web-2", "web-3", "web-5", "none"}))));
  EXPECT_EQ(listed(words), names({"web-4", "web-6", "web-7"}));
  EXPECT_EQ(read("web-4", 1U << 20, 6), "golden");
}

TEST_P(StoreContract, AVolumeOpenForWritingIsItsHoldersAlone) {
  make_golden("gold");
  make_clones("gold", {"web-1"});
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  const auto other = another_handle();
  for (const char* word : {"web-1", "fresh"}) {
    const auto held = store().open(name(word), Access::read_write);
    ASSERT_TRUE(ok(held));
    EXPECT_TRUE(find(word)->active);
    EXPECT_TRUE(fails(other->open(name(word), Access::read_write), ErrorCode::busy));
    EXPECT_TRUE(fails(other->open(name(word), Access::read_only), ErrorCode::busy));
    EXPECT_TRUE(fails(other->remove(names({word})), ErrorCode::busy));
  }
  EXPECT_TRUE(ok(other->open(name("web-1"), Access::read_write)));
  EXPECT_FALSE(find("web-1")->active);
  EXPECT_FALSE(find("fresh")->active);
}

TEST_P(StoreContract, ReadersShareAVolumeAndKeepItThere) {
  make_golden("gold", "golden");
  const auto other = another_handle();
  auto first = store().open(name("gold"), Access::read_only);
  auto second = other->open(name("gold"), Access::read_only);
  ASSERT_TRUE(ok(first));
  ASSERT_TRUE(ok(second));
  EXPECT_TRUE(fails(other->remove(names({"gold"})), ErrorCode::busy));
  first->reset();
  std::string text(6, '?');
  EXPECT_TRUE(ok((*second)->read(1U << 20, std::as_writable_bytes(std::span(text)))));
  EXPECT_EQ(text, "golden");
  make_clones("gold", {"web-1"});  // reading does not stand in the way of cloning
  second->reset();
  EXPECT_FALSE(find("gold")->active);
}

TEST_P(StoreContract, AVolumeOpenForWritingIsNotSealed) {
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  const auto held = store().open(name("fresh"), Access::read_write);
  ASSERT_TRUE(ok(held));
  EXPECT_TRUE(fails(store().seal(name("fresh")), ErrorCode::busy));
  EXPECT_EQ(find("fresh")->kind, VolumeKind::staging);
}

TEST_P(StoreContract, AnActivatedCloneIsInUseUntilItIsDeactivated) {
  make_golden("gold");
  make_clones("gold", {"web-1", "web-2"});
  const auto other = another_handle();
  ASSERT_TRUE(ok(store().activate(name("web-1"))));
  EXPECT_TRUE(ok(other->activate(name("web-1"))));  // may be repeated
  EXPECT_TRUE(find("web-1")->active);
  EXPECT_FALSE(find("web-2")->active);
  EXPECT_TRUE(fails(other->reset(names({"web-1"})), ErrorCode::busy));
  EXPECT_TRUE(fails(other->remove(names({"web-2", "web-1"})), ErrorCode::busy));
  EXPECT_TRUE(fails(other->open(name("web-1"), Access::read_write), ErrorCode::busy));
  EXPECT_EQ(listed({"web-1", "web-2"}), names({"web-1", "web-2"}));
  ASSERT_TRUE(ok(other->deactivate(name("web-1"))));
  EXPECT_TRUE(ok(store().deactivate(name("web-1"))));
  EXPECT_FALSE(find("web-1")->active);
  EXPECT_TRUE(ok(store().remove(names({"web-1"}))));
}

TEST_P(StoreContract, ManyAreDeactivatedInOneCall) {
  make_golden("gold");
  make_clones("gold", {"web-1", "web-2", "web-3"});
  ASSERT_TRUE(ok(store().activate(name("web-1"))));
  ASSERT_TRUE(ok(store().activate(name("web-3"))));
  ASSERT_TRUE(ok(store().deactivate_all(names({"web-1", "web-2", "none"}))));
  EXPECT_FALSE(find("web-1")->active);
  EXPECT_TRUE(find("web-3")->active);
  ASSERT_TRUE(ok(store().deactivate_all(names({"web-1", "web-3"}))));
  EXPECT_FALSE(find("web-3")->active);
  EXPECT_TRUE(ok(store().deactivate_all({})));
}

TEST_P(StoreContract, ReadingAnActivatedCloneLeavesItActive) {
  make_golden("gold", "golden");
  make_clones("gold", {"web-1"});
  ASSERT_TRUE(ok(store().activate(name("web-1"))));
  EXPECT_EQ(read("web-1", 1U << 20, 6), "golden");
  EXPECT_TRUE(find("web-1")->active);
  ASSERT_TRUE(ok(store().deactivate(name("web-1"))));
}

TEST_P(StoreContract, AnOpenVolumeIsNotActivated) {
  make_golden("gold");
  make_clones("gold", {"web-1"});
  const auto held = store().open(name("web-1"), Access::read_write);
  ASSERT_TRUE(ok(held));
  EXPECT_TRUE(fails(another_handle()->activate(name("web-1")), ErrorCode::busy));
}

TEST_P(StoreContract, AGoldenVolumeWithClonesStays) {
  make_golden("gold");
  make_clones("gold", {"web-1", "web-2"});
  EXPECT_TRUE(fails(store().remove(names({"gold"})), ErrorCode::busy));
  EXPECT_TRUE(fails(store().remove(names({"gold", "web-1"})), ErrorCode::busy));
  EXPECT_EQ(listed({"gold", "web-1", "web-2"}), names({"gold", "web-1", "web-2"}));
  EXPECT_TRUE(ok(store().remove(names({"gold", "web-1", "web-2"}))));
  EXPECT_EQ(listed({"gold", "web-1", "web-2"}).size(), 0U);
  EXPECT_TRUE(ok(store().remove(names({"gold", "web-1", "web-2"}))));  // may be repeated
}

TEST_P(StoreContract, AStagingVolumeCanBeRemovedAndMadeAgain) {
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  write("fresh", 0, "rest of an old one");
  ASSERT_TRUE(ok(store().remove(names({"fresh"}))));
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  EXPECT_EQ(read("fresh", 0, 18), std::string(18, '\0'));
}

TEST_P(StoreContract, TheListIsSortedAndSeenByAll) {
  make_golden("gold");
  make_clones("gold", {"zeta", "alpha", "web-10", "web-9"});
  const auto sorted = names({"alpha", "gold", "web-10", "web-9", "zeta"});
  EXPECT_EQ(listed({"gold", "zeta", "alpha", "web-10", "web-9"}), sorted);
  const auto other = another_handle()->list();
  ASSERT_TRUE(ok(other));
  EXPECT_TRUE(std::ranges::is_sorted(*other, {}, &VolumeInfo::name));
  EXPECT_GE(other->size(), sorted.size());
}

TEST_P(StoreContract, StatusSaysHowClonesAreMade) {
  make_golden("gold");
  const auto status = store().status();
  ASSERT_TRUE(ok(status));
  EXPECT_FALSE(status->description.empty());
  EXPECT_FALSE(status->method.empty());
  EXPECT_GT(status->size, 0U);
  EXPECT_LE(status->free, status->size);
  EXPECT_GE(status->volumes, 1U);
}

TEST_P(StoreContract, RecoveryOfAnOrderlyStoreChangesNothing) {
  make_golden("gold");
  make_clones("gold", {"web-1"});
  EXPECT_TRUE(ok(store().recover()));
  EXPECT_TRUE(ok(store().recover()));
  EXPECT_EQ(listed({"gold", "web-1"}), names({"gold", "web-1"}));
}

TEST_P(StoreContract, PlansChangeNothing) {
  make_golden("gold");
  (void)store().plan_create(name("planned"), size());
  (void)store().plan_clone(name("gold"), names({"planned"}));
  (void)store().plan_seal(name("gold"));
  (void)store().plan_reset(name("gold"), names({"planned"}));
  (void)store().plan_remove(names({"gold"}));
  EXPECT_EQ(listed({"gold", "planned"}), names({"gold"}));
}

TEST_P(StoreContract, ThreadsNeverGetTheSameName) {
  make_golden("gold");
  std::vector<std::string> wanted;
  for (int i = 0; i < 4; ++i) {
    wanted.push_back(name("web-" + std::to_string(i)));
  }
  std::atomic<int> made{0};
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const auto mine = another_handle();
        for (const std::string& one : wanted) {
          const auto cloned = mine->clone(name("gold"), std::span(&one, 1));
          (cloned ? made : refused)++;
          EXPECT_TRUE(cloned || cloned.error().code == ErrorCode::exists) << error_text(cloned.error());
        }
      });
    }
  }
  EXPECT_EQ(made, 4);
  EXPECT_EQ(refused, 12);
}

}  // namespace domsmith::testing
