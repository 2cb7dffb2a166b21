// A group's text written to its disks past LVM: where it comes to stand, what is refused, and that at every moment of
// it there is one whole text in each area.
#include "lvm-snapshots/lvm_disk_write.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "tests/unit/stores/lvm_disk_image.h"

namespace domsmith::testing {
namespace {

using ::testing::HasSubstr;

// As group_text(), with what LVM's text has beside it, and as long as it is asked for.
std::string text_of(const std::string& letters, int seqno, std::size_t length = 0) {
  std::string text = group_text(letters, "", seqno);
  text.insert(text.find("extent_size"), "metadata_copies = 0\n");
  while (text.size() < length) {
    text += fmt::format("# {}\n", std::string(std::min<std::size_t>(60, length - text.size()), 'x'));
  }
  return text;
}

class LvmDiskWriteTest : public LvmDiskImages {
 protected:
  [[nodiscard]] static Result<LvmGroupWriter> look(const std::vector<std::filesystem::path>& disks) {
    return LvmGroupWriter::of("vg0", TRY(read_group_disks("vg0", disks, "/nowhere")), disks);
  }
  [[nodiscard]] static LvmGroupWriter writer(const std::vector<std::filesystem::path>& disks) {
    return must_have(look(disks));
  }
  [[nodiscard]] static std::uint64_t offset_on(const std::filesystem::path& disk) {
    return must_have(read_lvm_disk(disk)).areas.at(0).offset;
  }
  [[nodiscard]] std::string text_on(const std::filesystem::path& disk) const {
    return must_have(read_lvm_disk(disk)).areas.at(0).text;
  }
  // Killed at that point of writing the text.
  static bool dies(const std::string& point, const std::function<void()>& act) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("DOMSMITH_FAIL", point.c_str(), 1);
      act();
      ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }
};

TEST_F(LvmDiskWriteTest, ATextStandsInTheSectorBehindTheOld) {
  const std::string old = text_of("a", 7);
  const auto a = disk('a', old);
  EXPECT_EQ(writer({a}).text(), old);
  EXPECT_EQ(writer({a}).obstacle(text_of("a", 8)), "");
  const std::string bytes = must_have(read_file(a));
  ASSERT_TRUE(ok(writer({a}).write(text_of("a", 8))));
  EXPECT_EQ(must_have(read({a})).text, text_of("a", 8));
  EXPECT_EQ(offset_on(a), header + (old.size() + 1 + 511) / 512 * 512);
  // The old one, the label and what is behind the area are as they were.
  const std::string now = must_have(read_file(a));
  EXPECT_EQ(now.substr(0, area_start), bytes.substr(0, area_start));
  EXPECT_EQ(now.substr(area_start + header, old.size() + 1), bytes.substr(area_start + header, old.size() + 1));
  EXPECT_EQ(now.size(), bytes.size());
}

// Lengths of all kinds, the longest that LVM takes among them, many times around the ring.
TEST_F(LvmDiskWriteTest, TheRingGoesRound) {
  static constexpr std::size_t longest = (area_size - header) / 2 - 512 - 1;
  const auto a = disk('a', text_of("a", 0));
  std::set<std::uint64_t> places;
  for (int i = 1; i < 200; ++i) {
    const std::size_t length = i % 7 == 0 ? longest : 700 + static_cast<std::size_t>(i) * 331 % (longest - 800);
    const std::string text = text_of("a", i, length).substr(0, std::max<std::size_t>(length, 600));
    const LvmGroupWriter now = writer({a});
    ASSERT_EQ(now.obstacle(text), "") << i;
    ASSERT_TRUE(ok(now.write(text))) << i;
    ASSERT_EQ(must_have(read({a})).text, text) << i;
    places.insert(offset_on(a));
  }
  EXPECT_GT(places.size(), 8U);
  EXPECT_TRUE(places.contains(header));
  EXPECT_THAT(writer({a}).obstacle(text_of("a", 1, longest + 512)), HasSubstr("too small"));
}

TEST_F(LvmDiskWriteTest, WhatStandsInAnotherPlaceThanAtTheBeginning) {
  for (const std::size_t at : {header, area_size - 512, area_size - 1024, header + 700}) {
    const auto a = disk('a', text_of("a", 7), at);
    ASSERT_TRUE(ok(writer({a}).write(text_of("a", 8)))) << at;
    EXPECT_EQ(must_have(read({a})).text, text_of("a", 8)) << at;
  }
}

TEST_F(LvmDiskWriteTest, WhatIsNotAsLvmLeavesItIsLeftToLvm) {
  const std::string text = text_of("ab", 7), next = text_of("ab", 8);
  const auto a = disk('a', text), b = disk('b', text);
  EXPECT_EQ(writer({a, b}).obstacle(next), "");
  // A disk that only udev knows: it may be a copy of the one that is meant.
  EXPECT_TRUE(fails(look({a}), ErrorCode::not_found));
  EXPECT_THAT(writer({a, b}).obstacle("vg1" + next.substr(3)), HasSubstr("does not begin"));
  std::string copies = next;
  copies.replace(copies.find("metadata_copies = 0"), 19, "metadata_copies = 1");
  EXPECT_THAT(writer({a, b}).obstacle(copies), HasSubstr("number of its metadata areas"));
  std::string owned = next;
  owned.insert(owned.find("metadata_copies"), "system_id = \"other\"\n");
  EXPECT_THAT(writer({a, b}).obstacle(owned), HasSubstr("belongs to one host"));
  const auto ignored = disk('b', text, header, 1);
  EXPECT_THAT(writer({a, ignored}).obstacle(next), HasSubstr("not in use"));
  // With its sums made anew: a text that was written and not committed; another version; no mark of being in use.
  struct Change {
    std::size_t at, sum, from, length;
    const char* says;
  };
  for (const Change& change : {Change{area_start + 64, area_start, area_start + 4, 508, "cut off"},
                               Change{area_start + 20, area_start, area_start + 4, 508, "cut off"},
                               Change{512 + 32 + 40 + 64 + 4, 512 + 16, 512 + 20, 492, "written anew"}}) {
    std::string bytes = must_have(read_file(disk('b', text)));
    put(bytes, change.at, std::uint32_t{bytes[change.at] == 0 ? 2048U : 0U});
    put(bytes, change.sum, crc_of(std::string_view(bytes).substr(change.from, change.length)));
    const auto odd = this->write("odd", bytes);
    EXPECT_TRUE(ok(read({a, odd}))) << change.says;
    EXPECT_THAT(writer({a, odd}).obstacle(next), HasSubstr(change.says));
  }
}

// On each disk one of the two whole texts, on one of them the new from its first pointer on.
TEST_F(LvmDiskWriteTest, KilledAnywhereEachDiskHasAWholeText) {
  const std::string old = text_of("abc", 7), next = text_of("abc", 8, 3000);
  struct Moment {
    const char* point;
    std::string seen;
  };
  for (const Moment& moment :
       {Moment{"lvm.write.text", "777"}, Moment{"lvm.write.text:3", "777"}, Moment{"lvm.write.flushed", "777"},
        Moment{"lvm.write.before", "777"}, Moment{"lvm.write.pointer", "877"}, Moment{"lvm.write.area", "877"},
        Moment{"lvm.write.before:2", "877"}, Moment{"lvm.write.pointer:2", "887"}, Moment{"lvm.write.area:3", "888"}}) {
    const std::vector<std::filesystem::path> disks = {disk('a', old), disk('b', old), disk('c', old)};
    ASSERT_TRUE(dies(moment.point, [&] { (void)writer(disks).write(next); })) << moment.point;
    std::string seen;
    for (const auto& each : disks) {
      const std::string text = text_on(each);
      seen += text == old ? '7' : text == next ? '8' : '?';
    }
    EXPECT_EQ(seen, moment.seen) << moment.point;
    // Where they differ, nobody but LVM says which it is.
    EXPECT_EQ(read(disks).has_value(), seen == "777" || seen == "888") << moment.point;
    EXPECT_EQ(look(disks).has_value(), seen == "777" || seen == "888") << moment.point;
  }
}

TEST_F(LvmDiskWriteTest, ADiskMayHaveTwoAreas) {
  const std::string old = text_of("a", 7), next = text_of("a", 8);
  const std::vector<std::filesystem::path> disks = {disk('a', old, old)};
  ASSERT_TRUE(ok(writer(disks).write(next)));
  for (const LvmDisk::Area& area : must_have(read_lvm_disk(disks[0])).areas) {
    EXPECT_EQ(area.text, next);
  }
  EXPECT_TRUE(ok(read(disks)));
  EXPECT_TRUE(fails(read({disk('a', old, next)}), ErrorCode::busy));
}

// One area that is committed is a commit, to LVM as well; none is not.
TEST_F(LvmDiskWriteTest, AnErrorBeforeAndAfterTheFirstPointer) {
  const std::string old = text_of("ab", 7), next = text_of("ab", 8);
  const auto written = [&](const char* point) {
    const std::vector<std::filesystem::path> disks = {disk('a', old), disk('b', old)};
    ::setenv("DOMSMITH_FAIL", point, 1);
    const bool good = writer(disks).write(next).has_value();
    ::unsetenv("DOMSMITH_FAIL");
    return std::pair(good, text_on(disks[0]) == next || text_on(disks[1]) == next);
  };
  EXPECT_EQ(written("lvm.write.text:2=error"), std::pair(false, false));
  EXPECT_EQ(written("lvm.write.flushed=error"), std::pair(false, false));
  EXPECT_EQ(written("lvm.write.before=error"), std::pair(true, true)) << "the other disk has it";
  EXPECT_EQ(written("lvm.write.before:2=error"), std::pair(true, true));
}

}  // namespace
}  // namespace domsmith::testing
