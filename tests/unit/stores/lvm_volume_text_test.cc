// A group's text taken apart line by line says what its tree says, and put together it is the same text.
#include "lvm-snapshots/lvm_volume_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/crypto.h"
#include "lvm-snapshots/lvm_disk_write.h"
#include "lvm-snapshots/lvm_group_reader.h"
#include "lvm-snapshots/lvm_metadata.h"
#include "lvm-snapshots/lvm_report.h"
#include "tests/unit/stores/lvm_disk_image.h"

namespace domsmith::testing {

namespace {

// As LVM writes one to a disk.
std::string thin(const std::string& name, unsigned device, const std::string& more = "", const std::string& tags = "") {
  return fmt::format(
      "{} {{\nid = \"{}\"\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\nflags = [\"ACTIVATION_SKIP\"]\n{}creation_time "
      "= 1700000000\n"
      "creation_host = \"lab\"\nsegment_count = 1\n\nsegment1 {{\nstart_extent = 0\nextent_count = 256\n\ntype = "
      "\"thin\"\n"
      "thin_pool = \"pool\"\ntransaction_id = 2\ndevice_id = {}\n{}}}\n}}\n\n",
      name, new_lvm_id(), tags, device, more);
}

const std::string pool =
    "pool {\nid = \"0123456789\"\nstatus = [\"READ\", \"WRITE\", \"VISIBLE\"]\nsegment_count = 1\n\nsegment1 "
    "{\nstart_extent = 0\n"
    "extent_count = 40\n\ntype = \"thin-pool\"\nmetadata = \"pool_tmeta\"\npool = \"pool_tdata\"\ntransaction_id = "
    "2\nchunk_size = "
    "128\nzero_new_blocks = 1\n}\n}\n\n"
    "pool_tmeta {\nstatus = [\"READ\", \"WRITE\"]\nsegment1 {\nextent_count = 3\ntype = \"striped\"\nstripe_count = "
    "1\nstripes = "
    "[\n\"pv0\", 0\n]\n}\n}\n";

LvmConfigNode tree_of(std::string_view text) { return must_have(parse_lvm_config(text, "text")); }

const LvmVolumeText& named(const LvmTakenApart& parts, std::string_view name) {
  return *std::ranges::find(parts.volumes, name, &LvmVolumeText::name);
}

TEST(LvmVolumeTexts, OfThinVolumesEachFieldIsRead) {
  const std::string text = group_text(
      "a", pool + thin("gold", 1) +
               thin("web-1.fresh", 17, "origin = \"gold\"\n", "tags = [\"domsmith\", \"domsmith.clone\"]\n"));
  const LvmTakenApart parts = must_have(take_apart(text, "vg0"));
  ASSERT_EQ(parts.volumes.size(), 4U);
  EXPECT_EQ(named(parts, "pool").thin(), nullptr);
  EXPECT_EQ(named(parts, "pool_tmeta").thin(), nullptr);
  ASSERT_NE(named(parts, "gold").thin(), nullptr);
  EXPECT_EQ(named(parts, "gold").thin()->origin, "");
  EXPECT_EQ(named(parts, "gold").thin()->tags, "");
  const LvmThinVolume* web = named(parts, "web-1.fresh").thin();
  ASSERT_NE(web, nullptr);
  EXPECT_EQ(web->id.size(), 38U);
  EXPECT_EQ(web->tags, R"("domsmith", "domsmith.clone")");
  EXPECT_EQ(web->pool, "pool");
  EXPECT_EQ(web->origin, "gold");
  EXPECT_EQ(web->extents, 256U);
  EXPECT_EQ(web->device, 17U);
  EXPECT_TRUE(web->visible);
  EXPECT_EQ(tree_of(put_together(parts, "vg0")), tree_of(text));
}

// What stands in one of these is told by the tree of it.
TEST(LvmVolumeTexts, WhatIsMoreThanAPlainThinVolume) {
  const std::string plain = thin("x", 3);
  const auto is_thin = [](const std::string& volume) {
    const std::string text = group_text("a", pool + volume);
    const LvmTakenApart parts = must_have(take_apart(text, "vg0"));
    EXPECT_EQ(tree_of(put_together(parts, "vg0")), tree_of(text)) << volume;
    return named(parts, "x").thin() != nullptr;
  };
  const auto with = [&](std::string_view old, std::string_view now) {
    std::string changed = plain;
    changed.replace(changed.find(old), old.size(), now);
    return is_thin(changed);
  };
  EXPECT_TRUE(is_thin(plain));
  EXPECT_TRUE(with("\"lab\"", "\"a # host {\""));
  EXPECT_FALSE(with("\"lab\"", "\"a \\\"host\\\"\""));
  EXPECT_FALSE(with("\"lab\"", "'lab'"));
  EXPECT_FALSE(with("segment_count = 1", "segment_count = 2"));
  EXPECT_FALSE(with("type = \"thin\"", "type = \"thin-pool\""));
  EXPECT_FALSE(with("device_id = 3\n", "device_id = 3\nexternal_origin = \"y\"\n"));
  EXPECT_FALSE(with("device_id = 3\n", "device_id = 3\nmerge = \"y\"\n"));
  EXPECT_FALSE(with("device_id = 3\n", ""));
  EXPECT_FALSE(with("device_id = 3\n", "device_id = -3\n"));
  EXPECT_FALSE(with("device_id = 3\n", "device_id = 99999999999999999999\n"));
  EXPECT_FALSE(with("type = \"thin\"\n", "type = \"thin\"\ntags = [\"of a segment\"]\n"));
  EXPECT_FALSE(with("extent_count = 256\n", "extent_count = 256\nunknown = 1\n"));
  EXPECT_FALSE(with("creation_time", "\tcreation_time"));
  EXPECT_FALSE(with("[\"ACTIVATION_SKIP\"]", "[ \"ACTIVATION_SKIP\" ]"));
  EXPECT_FALSE(with("}\n}\n", "}\nsegment2 {\ntype = \"thin\"\n}\n}\n"));
}

TEST(LvmVolumeTexts, ATextOfAnotherFormIsTakenApartAsWell) {
  const std::string text = group_text("a", pool + thin("gold", 1) + thin("web-1", 2, "origin = \"gold\"\n"));
  const LvmConfigNode tree = tree_of(text);
  std::string indented = "# by hand\n";
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
    indented += "\t" + std::string(rest.substr(0, rest.find('\n'))) + (rest.find("{\n") == 0 ? " # a brace }\n" : "\n");
  }
  const LvmTakenApart parts = must_have(take_apart(indented, "vg0"));
  ASSERT_NE(named(parts, "web-1").thin(), nullptr) << "it is in LVM's form from then on";
  EXPECT_EQ(named(parts, "web-1").thin()->origin, "gold");
  EXPECT_EQ(tree_of(put_together(parts, "vg0")), tree);
  EXPECT_TRUE(fails(take_apart(text, "vg1"), ErrorCode::bad_input));
  EXPECT_TRUE(fails(take_apart(text.substr(0, text.size() / 2), "vg0"), ErrorCode::bad_input));
}

// Whatever the bytes are: it says what the parser says of them, or that they are no text.
TEST(LvmVolumeTexts, AnyBytes) {
  const std::string text = group_text("a", pool + thin("gold", 1) + thin("b", 2, "origin = \"gold\"\n"));
  const std::string_view pieces[] = {
      "{", "}", "\n}\n", " {\n", "\n", "\"", "[", "]", "#", "=", " = 1\n", "\\", "\t", "logical_volumes {\n", "x"};
  const auto random = seeded_random(7);
  std::size_t taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = text;
    std::array<std::byte, 8> dice{};
    random->fill(dice);
    const auto die = [&](std::size_t i) { return std::to_integer<std::size_t>(dice[i]); };
    const std::size_t at = (die(0) << 8 | die(1)) % changed.size();
    changed.replace(at, die(2) % 4, pieces[die(3) % std::size(pieces)]);
    if (die(4) % 2 == 0) {
      changed.insert((die(5) << 8 | die(6)) % changed.size(), pieces[die(7) % std::size(pieces)]);
    }
    const auto tree = parse_lvm_config(changed, "text");
    const auto parts = take_apart(changed, "vg0");
    if (parts) {
      ++taken;
      ASSERT_TRUE(tree) << changed;
      ASSERT_EQ(tree_of(put_together(*parts, "vg0")), *tree) << changed;
    } else {
      const LvmConfigNode* group = tree ? tree->find("vg0") : nullptr;
      const LvmConfigNode* volumes = group == nullptr ? nullptr : group->find("logical_volumes");
      if (group != nullptr && std::ranges::count(group->children, "logical_volumes", &LvmConfigNode::key) > 1) {
        continue;
      }
      ASSERT_TRUE(volumes == nullptr ||
                  std::ranges::any_of(volumes->children,
                                      [](const LvmConfigNode& volume) {
                                        return volume.kind != LvmConfigNode::Kind::section ||
                                               volume.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") !=
                                                   volume.key.npos;
                                      }))
          << changed;
    }
  }
  EXPECT_GT(taken, 1000U);
}

class LvmGroupReading : public LvmDiskImages {
 protected:
  LvmGroupReader reader_{"vg0", folder_.path() / "links"};
  [[nodiscard]] std::string text_on(const std::vector<std::filesystem::path>& disks) {
    const auto seen = reader_.read(disks);
    EXPECT_TRUE(ok(seen));
    return seen ? (*seen)->agreed.text : "";
  }
};

TEST_F(LvmGroupReading, AnUnchangedTextIsReadOnce) {
  const std::vector disks = {disk('a', group_text("ab", pool)), disk('b', group_text("ab", pool))};
  EXPECT_EQ(text_on(disks), group_text("ab", pool));
  const std::uint64_t generation = reader_.generation();
  EXPECT_EQ(must_have(reader_.parts())->volumes.size(), 2U);
  EXPECT_EQ(text_on(disks), group_text("ab", pool));
  EXPECT_EQ(reader_.generation(), generation);
}

TEST_F(LvmGroupReading, EveryChangeIsSeen) {
  std::vector disks = {disk('a', group_text("ab", pool)), disk('b', group_text("ab", pool))};
  (void)text_on(disks);
  (void)reader_.parts();
  // Elsewhere in the ring, and at the same place with the same length: another seqno.
  for (const std::size_t at : {header + 512, header + 512, header}) {
    static int seqno = 7;
    const std::string now = group_text("ab", pool, ++seqno);
    disk('a', now, at);
    disk('b', now, at);
    EXPECT_EQ(text_on(disks), now);
    EXPECT_EQ(tree_of(put_together(*must_have(reader_.parts()), "vg0")), tree_of(now));
  }
  disk('b', group_text("ab", pool, 99));
  EXPECT_TRUE(fails(reader_.read(disks), ErrorCode::busy)) << "one of two";
  disk('b', group_text("ab", pool, 9));
  EXPECT_FALSE(reader_.read(disks));
  disk('a', group_text("ab", pool, 9));
  EXPECT_TRUE(ok(reader_.read(disks)));
  std::filesystem::remove(disks[1]);
  EXPECT_FALSE(reader_.read(disks));
  disk('b', group_text("ab", pool, 9));
  EXPECT_TRUE(ok(reader_.read(disks)));
  EXPECT_TRUE(fails(reader_.read(std::vector{disks[0]}), ErrorCode::not_found)) << "asked for others";
}

TEST_F(LvmGroupReading, WhatWasWrittenIsKnown) {
  for (const std::size_t at : {header, area_size - 1024}) {  // the ring's end is in the middle of the next
    const std::vector disks = {disk('a', group_text("ab", pool), at), disk('b', group_text("ab", pool))};
    const LvmGroupDisks seen = *must_have(reader_.read(disks));
    const LvmGroupWriter writer = must_have(LvmGroupWriter::of("vg0", seen, disks));
    const std::string next = group_text("ab", pool + thin("gold", 1), 8);
    reader_.wrote(must_have(writer.write(next)));
    const std::uint64_t generation = reader_.generation();
    const LvmGroupDisks* now = must_have(reader_.read(disks));
    EXPECT_EQ(reader_.generation(), generation) << "the disks are as write() has it";
    const LvmGroupDisks really = must_have(read_group_disks("vg0", disks, "/nowhere"));
    EXPECT_EQ(now->agreed.text, really.agreed.text);
    EXPECT_EQ(now->agreed.area_free, really.agreed.area_free);
    EXPECT_EQ(must_have(reader_.parts())->volumes.size(), 3U);
    // And again, from what is known alone.
    ASSERT_TRUE(ok(must_have(LvmGroupWriter::of("vg0", *now, disks)).write(group_text("ab", pool, 9))));
    EXPECT_EQ(text_on(disks), group_text("ab", pool, 9));
    EXPECT_NE(reader_.generation(), generation);
  }
}

TEST_F(LvmGroupReading, WhatWasNotWrittenEverywhereIsNotBelieved) {
  const std::vector disks = {disk('a', group_text("ab", pool)), disk('b', group_text("ab", pool))};
  const LvmGroupWriter writer = must_have(LvmGroupWriter::of("vg0", *must_have(reader_.read(disks)), disks));
  reader_.wrote(must_have(writer.write(group_text("ab", "", 8))));
  reader_.made_of(must_have(take_apart(group_text("ab", "", 8), "vg0")));
  disk('b', group_text("ab", pool));
  EXPECT_TRUE(fails(reader_.read(disks), ErrorCode::busy));
  disk('a', group_text("ab", pool));
  EXPECT_EQ(text_on(disks), group_text("ab", pool));
  reader_.made_of(must_have(take_apart(group_text("ab", "", 8), "vg0")));
  EXPECT_EQ(must_have(reader_.parts())->volumes.size(), 2U) << "what was read is not what was written";
  EXPECT_TRUE(
      fails(LvmGroupWriter::of("vg0", *must_have(reader_.read(disks)), std::vector{disks[0]}), ErrorCode::not_found));
}

// The header alone would not tell this; nothing but a person's dd does it.
TEST_F(LvmGroupReading, AnotherBeginningBehindTheSameHeader) {
  const std::vector disks = {disk('a', group_text("a", pool))};
  (void)text_on(disks);
  std::string bytes = must_have(read_file(disks[0]));
  bytes[bytes.find("seqno = 7") + 8] = '8';
  (void)write("disk-a", bytes);
  EXPECT_TRUE(fails(reader_.read(disks), ErrorCode::busy)) << "it does not fit its checksum";
}

}  // namespace

}  // namespace domsmith::testing
