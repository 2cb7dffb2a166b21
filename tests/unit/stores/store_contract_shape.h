// The contract of large copies, and of the verbs that change what a volume is, or how long: adopt, resize. Included
// behind store_contract.h by whoever instantiates it.
#pragma once

#include <cstdlib>

#include "tests/unit/stores/store_contract.h"

namespace domsmith::testing {

// Some of it goes past the page cache, some does not.
TEST_P(StoreContract, ALargeCopyIsReadLikeWhatIsWritten) {
  constexpr std::size_t large = 256U << 10;
  constexpr std::uint64_t at = 64U << 10;
  ASSERT_TRUE(ok(store().create(name("fresh"), size())));
  std::string wanted(at + large + 8192, '\0');
  {
    auto volume = store().open(name("fresh"), Access::read_write);
    ASSERT_TRUE(ok(volume));
    const std::unique_ptr<std::byte, decltype(&std::free)> pages(
        static_cast<std::byte*>(std::aligned_alloc(4096, large)), &std::free);
    const std::span all(pages.get(), large);
    std::ranges::fill(all, std::byte{'n'});
    const auto put = [&](std::uint64_t offset, std::string_view text) {
      wanted.replace(offset, text.size(), text);
      ASSERT_TRUE(ok((*volume)->write(offset, std::as_bytes(std::span(text)))));
    };
    put(at - 2, "older");
    ASSERT_TRUE(ok((*volume)->write_once(at, all)));
    wanted.replace(at, large, std::string(large, 'n'));
    put(at + 5000, "newer");
    ASSERT_TRUE(ok((*volume)->write_once(at + large + 100, all.first(200))));
    wanted.replace(at + large + 100, 200, std::string(200, 'n'));
    std::string seen(wanted.size(), '?');
    ASSERT_TRUE(ok((*volume)->read(0, std::as_writable_bytes(std::span(seen)))));
    EXPECT_TRUE(seen == wanted) << "while it is open";
    ASSERT_TRUE(ok((*volume)->flush()));
  }
  EXPECT_TRUE(read("fresh", 0, wanted.size()) == wanted) << "when it is opened again";
}

TEST_P(StoreContract, AnAdoptedVolumeIsACloneWithBytesOfItsOwn) {
  make_golden("gold", "golden");
  ASSERT_TRUE(ok(store().create(name("copy"), size())));
  write("copy", 1U << 20, "a copy");
  ASSERT_TRUE(ok(store().adopt(name("copy"), name("gold"))));
  EXPECT_EQ(find("copy")->kind, VolumeKind::clone);
  EXPECT_EQ(find("copy")->size, size());
  EXPECT_FALSE(find("copy")->active);
  EXPECT_EQ(read("copy", 1U << 20, 6), "a copy");
  write("copy", 0, "writable");
  EXPECT_EQ(read("gold", 0, 8), std::string(8, '\0'));
  EXPECT_TRUE(ok(store().activate(name("copy"))));
  EXPECT_TRUE(ok(store().deactivate(name("copy"))));
  EXPECT_TRUE(ok(store().remove(names({"copy"}))));
}

TEST_P(StoreContract, OnlyIdleStagingVolumesAreAdopted) {
  make_golden("gold");
  make_clones("gold", {"web-1"});
  ASSERT_TRUE(ok(store().create(name("copy"), size())));
  EXPECT_TRUE(fails(store().adopt(name("web-1"), name("gold")), ErrorCode::unsupported));
  EXPECT_TRUE(fails(store().adopt(name("gold"), name("gold")), ErrorCode::unsupported));
  EXPECT_TRUE(fails(store().adopt(name("copy"), name("web-1")), ErrorCode::unsupported));
  EXPECT_TRUE(fails(store().adopt(name("copy"), name("none")), ErrorCode::not_found));
  EXPECT_TRUE(fails(store().adopt(name("none"), name("gold")), ErrorCode::not_found));
  const auto held = store().open(name("copy"), Access::read_write);
  ASSERT_TRUE(ok(held));
  EXPECT_TRUE(fails(store().adopt(name("copy"), name("gold")), ErrorCode::busy));
  EXPECT_EQ(find("copy")->kind, VolumeKind::staging);
}

// A classic snapshot in LVM has its origin's size; a copy can be resized everywhere.
TEST_P(StoreContract, ACopyGrowsAndShrinks) {
  make_golden("gold");
  ASSERT_TRUE(ok(store().create(name("copy"), size())));
  write("copy", size() - 6, "at end");
  ASSERT_TRUE(ok(store().adopt(name("copy"), name("gold"))));
  ASSERT_TRUE(ok(store().resize(name("copy"), 2 * size())));
  EXPECT_EQ(find("copy")->size, 2 * size());
  EXPECT_EQ(read("copy", size() - 6, 8), std::string("at end\0\0", 8));
  ASSERT_TRUE(ok(store().resize(name("copy"), size() / 2)));
  EXPECT_EQ(find("copy")->size, size() / 2);
  EXPECT_TRUE(fails(store().resize(name("gold"), size()), ErrorCode::unsupported));
  EXPECT_TRUE(fails(store().resize(name("none"), size()), ErrorCode::not_found));
  EXPECT_TRUE(fails(store().resize(name("copy"), 0), ErrorCode::bad_input));
  const auto held = store().open(name("copy"), Access::read_write);
  ASSERT_TRUE(ok(held));
  EXPECT_TRUE(fails(store().resize(name("copy"), size()), ErrorCode::busy));
}

TEST_P(StoreContract, AResetGivesBackTheOriginsSize) {
  make_golden("gold", "golden");
  const std::vector<std::string> words = {"web-1", "web-2", "web-3", "web-4", "web-5"};
  make_clones("gold", words);
  if (const auto grown = store().resize(name("web-2"), 2 * size()); !grown) {
    EXPECT_TRUE(fails(grown, ErrorCode::unsupported));  // a classic snapshot
    return;
  }
  ASSERT_TRUE(ok(store().resize(name("web-4"), size() / 2)));
  EXPECT_EQ(read("web-2", 1U << 20, 6), "golden");
  ASSERT_TRUE(ok(store().reset(names(words))));
  for (const std::string& word : words) {
    EXPECT_EQ(find(word)->size, size()) << word;
    EXPECT_EQ(read(word, 1U << 20, 6), "golden") << word;
  }
}

TEST_P(StoreContract, AnOrderlyStoreHasNothingBesideItsVolumes) {
  make_golden("gold");
  make_clones("gold", {"web-1"});
  const auto survey = store().survey();
  ASSERT_TRUE(ok(survey));
  EXPECT_TRUE(std::ranges::is_sorted(survey->volumes, {}, &VolumeInfo::name));
  EXPECT_EQ(std::ranges::count(survey->volumes, name("web-1"), &VolumeInfo::name), 1);
  EXPECT_TRUE(survey->strays.empty()) << survey->strays.front().subject << ": " << survey->strays.front().text;
}

}  // namespace domsmith::testing
