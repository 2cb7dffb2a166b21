// LVM's text format, and what a batch does to a group's metadata. data/*.vg were written by vgcfgbackup(8) 2.03.16.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/file.h"
#include "lvm-snapshots/lvm_metadata.h"
#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string round_trip(std::string_view text) {
  const auto root = parse_lvm_config(text, "text");
  EXPECT_TRUE(ok(root));
  return root ? lvm_config_text(*root) : "";
}

TEST(LvmConfig, KeepsOrderUnknownKeysAndWhatIsInQuotes) {
  EXPECT_EQ(round_trip("# a comment\nb = 1 # another\n\ta = \"x # no comment\"\nempty { }\nnone=[]\n"
                       "list = [ \"a\", 2,\n  \"c\" ]\nminus = -1\nhalf = 0.5\n"
                       "outer { inner { deep = \"\" } }"),
            "b = 1\na = \"x # no comment\"\nempty {\n}\nnone = []\nlist = [\"a\", 2, \"c\"]\nminus = -1\nhalf = 0.5\n"
            "outer {\ninner {\ndeep = \"\"\n}\n}\n");
}

TEST(LvmConfig, EscapesOfQuotesAndBackslashes) {
  const std::string text = R"(description = "lvcreate -n \"a\\b\" 'c'")"
                           "\n";
  const auto root = parse_lvm_config(text, "text");
  ASSERT_TRUE(ok(root));
  EXPECT_EQ(root->text_of("description"), R"(lvcreate -n "a\b" 'c')");
  EXPECT_EQ(lvm_config_text(*root), text);
  EXPECT_EQ(round_trip("a = 'single \\ quotes'"), "a = \"single \\\\ quotes\"\n");
}

TEST(LvmConfig, NumbersTextsAndListsAreToldApart) {
  const auto root = parse_lvm_config("n = 42\nt = \"42\"\nl = [\"x\"]\nbig = 99999999999999999999\n", "text");
  ASSERT_TRUE(ok(root));
  EXPECT_EQ(root->number_of("n"), 42U);
  EXPECT_FALSE(root->number_of("t"));
  EXPECT_FALSE(root->number_of("big"));
  EXPECT_FALSE(root->text_of("n"));
  EXPECT_EQ(root->text_of("t"), "42");
  EXPECT_TRUE(root->lists("l", "x"));
  EXPECT_FALSE(root->lists("t", "x"));
}

TEST(LvmConfig, DamageIsRefusedWithItsLine) {
  for (const auto& [text, words] : std::initializer_list<std::pair<const char*, const char*>>{
           {"a = \"open", "vg:1: a text without its closing quote"},
           {"x = 1\na {\nb = 1\n", "vg:4: section 'a' is not closed"},
           {"a\nb", "vg:2: neither '=' nor '{' after 'a'"},
           {"a = ", "vg:1: the text ends in the middle"},
           {"a = }", "vg:1: '}' does not belong here"},
           {"a = [1 2]", "vg:1: a list without its closing bracket"},
           {"a = word", "vg:1: 'word' is neither a number nor a text in quotes"},
           {"} ", "vg:1: '}' does not belong here"}}) {
    const auto root = parse_lvm_config(text, "vg");
    ASSERT_TRUE(fails(root, ErrorCode::bad_input)) << text;
    EXPECT_EQ(root.error().what, words);
  }
  EXPECT_TRUE(fails(parse_lvm_config(std::string(100000, '{'), "vg"), ErrorCode::bad_input));
  std::string deep;
  for (int i = 0; i < 100000; ++i) {
    deep += "a {";
  }
  EXPECT_TRUE(fails(parse_lvm_config(deep, "vg"), ErrorCode::bad_input));
}

std::string saved(const std::string& name) {
  return read_file(std::filesystem::path(DOMSMITH_SOURCE_DIR) / "tests/unit/stores/data" / name).value_or("");
}

LvmMetadata saved_metadata() { return LvmMetadata::parse(saved("pool.vg"), "vg0", "pool").value(); }

TEST(LvmMetadata, IsWhatLvmWrote) {
  const LvmMetadata metadata = saved_metadata();
  EXPECT_FALSE(metadata.refusal());
  EXPECT_GT(metadata.seqno(), 0U);
  EXPECT_EQ(metadata.pool_device_uuid().size(), 4 + 32 + 32 + 6);
  EXPECT_TRUE(metadata.device_of("gold"));
  EXPECT_FALSE(metadata.device_of("pool"));
  EXPECT_FALSE(metadata.device_of("nothing"));
  EXPECT_EQ(metadata.origin_of("web-1"), "gold");
  EXPECT_EQ(metadata.outsider_using({"gold"}), "web-1");
  EXPECT_EQ(metadata.outsider_using({"web-1"}), "");
  EXPECT_TRUE(metadata.messages().empty());
}

// A clone that a batch adds differs from the one that lvcreate made in nothing but what is each one's own.
TEST(LvmMetadata, AClonesTextIsWhatLvcreateWrites) {
  LvmMetadata metadata = saved_metadata();
  metadata.add_clone("web-2", "gold", 9, {1234567890, "lab"}, "Zs2KwJ-0000-0000-0000-0000-0000-000000");
  const auto root = parse_lvm_config(metadata.text(), "text");
  ASSERT_TRUE(ok(root));
  const LvmConfigNode& volumes = *root->find("vg0")->find("logical_volumes");
  LvmConfigNode made = *volumes.find("web-1");
  LvmConfigNode added = *volumes.find("web-2");
  for (const char* own : {"id", "creation_time", "creation_host"}) {
    ASSERT_NE(made.find(own), nullptr);
    ASSERT_NE(added.find(own), nullptr);
    *added.find(own) = *made.find(own);
  }
  for (const char* own : {"transaction_id", "device_id"}) {
    *added.find("segment1")->find(own) = *made.find("segment1")->find(own);
  }
  made.key = added.key;
  EXPECT_EQ(lvm_config_text(added), lvm_config_text(made));
}

TEST(LvmMetadata, EditsLeaveTheRestAlone) {
  LvmMetadata metadata = saved_metadata();
  const std::string before = metadata.text();
  metadata.add_clone("a", "gold", 8, {1, "h"}, new_lvm_id());
  metadata.add_clone("b", "gold", 9, {1, "h"}, new_lvm_id());
  EXPECT_TRUE(metadata.has("b"));
  EXPECT_THAT(metadata.devices(), ::testing::IsSupersetOf({8U, 9U}));
  metadata.remove({"a", "b"});
  EXPECT_EQ(metadata.text(), before);
  const auto device = metadata.device_of("web-1").value();
  metadata.set_device("web-1", 77, {2, "other"});
  EXPECT_EQ(metadata.device_of("web-1"), 77U);
  EXPECT_THAT(metadata.text(), HasSubstr("creation_host = \"other\""));
  EXPECT_FALSE(metadata.devices().contains(device));
}

// What vg0's text becomes when `from` becomes `to` in it.
std::string refusal_with(std::string_view from, std::string_view to) {
  std::string text = saved_metadata().text();
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return LvmMetadata::parse(text, "vg0", "pool").value().refusal().value_or("none");
}

TEST(LvmMetadata, GroupsThatABatchMayNotTouch) {
  EXPECT_EQ(refusal_with("vg0 {\n", "vg0 {\nlock_type = \"none\"\n"), "none");
  EXPECT_THAT(refusal_with("vg0 {\n", "vg0 {\nlock_type = \"sanlock\"\n"), HasSubstr("shared"));
  EXPECT_THAT(refusal_with("status = [\"RESIZEABLE\", ", "status = [\"CLUSTERED\", "), HasSubstr("clustered"));
  EXPECT_THAT(refusal_with("status = [\"RESIZEABLE\", ", "status = [\"EXPORTED\", "), HasSubstr("exported"));
  EXPECT_THAT(refusal_with("\"READ\", \"WRITE\"]", "\"READ\"]"), HasSubstr("read-only"));
  EXPECT_THAT(refusal_with("status = [\"ALLOCATABLE\"]", "status = [\"ALLOCATABLE\", \"MISSING\"]"), HasSubstr("disk"));
  EXPECT_THAT(refusal_with("logical_volumes {", "historical_logical_volumes {\n}\nlogical_volumes {"),
              HasSubstr("history"));
  EXPECT_THAT(refusal_with("chunk_size", "message1 {\ndelete = 5\n}\nchunk_size"), HasSubstr("messages"));
}

TEST(LvmMetadata, AVolumeThatIsMoreThanAThinSnapshotHasNoDeviceForUs) {
  for (const char* extra : {"merge = \"x\"", "external_origin = \"x\"", "novel = 1"}) {
    std::string text = saved_metadata().text();
    text.replace(text.find("origin = \"gold\""), 15, fmt::format("origin = \"gold\"\n{}", extra));
    EXPECT_FALSE(LvmMetadata::parse(text, "vg0", "pool").value().device_of("web-1")) << extra;
  }
}

TEST(LvmMetadata, MessagesAreReadAndDropped) {
  std::string text = saved_metadata().text();
  text.replace(text.find("chunk_size"), 0, "message1 {\ncreate = \"web-1\"\n}\nmessage2 {\ndelete = 12\n}\n");
  LvmMetadata metadata = LvmMetadata::parse(text, "vg0", "pool").value();
  const auto messages = metadata.messages();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_TRUE(messages[0].create);
  EXPECT_EQ(messages[0].device, metadata.device_of("web-1"));
  EXPECT_EQ(messages[0].origin, metadata.device_of("gold"));
  EXPECT_FALSE(messages[1].create);
  EXPECT_EQ(messages[1].device, 12U);
  metadata.drop_messages();
  EXPECT_EQ(metadata.text(), saved_metadata().text());
}

// As LVM's lvremove writes it, and sends again.
TEST(LvmMetadata, AStepIsTheNextNumberAndOneMessage) {
  LvmMetadata metadata = saved_metadata();
  const std::uint64_t number = metadata.transaction_id();
  metadata.begin_step(12);
  EXPECT_EQ(metadata.transaction_id(), number + 1);
  EXPECT_THAT(metadata.text(), HasSubstr("message1 {\ndelete = 12\n}\n"));
  ASSERT_EQ(metadata.messages().size(), 1U);
  EXPECT_EQ(metadata.messages()[0].device, 12U);
  EXPECT_EQ(metadata.flaw(), "");
}

TEST(LvmMetadata, NewVolumesStandBeforeThoseThatAreNotToBeSeen) {
  LvmMetadata metadata = saved_metadata();
  metadata.add_clone("web-2", "gold", 8, {1, "h"}, new_lvm_id());
  metadata.add_clone("web-3", "gold", 9, {1, "h"}, new_lvm_id());
  const std::string text = metadata.text();
  EXPECT_LT(text.find("web-1 {"), text.find("web-2 {"));
  EXPECT_LT(text.find("web-2 {"), text.find("web-3 {"));
  EXPECT_LT(text.find("web-3 {"), text.find("pool_tmeta {"));
  EXPECT_EQ(metadata.device_of("web-3"), 9U);
  EXPECT_FALSE(metadata.id_of("pool_tdata").empty());
  EXPECT_EQ(metadata.id_of("pool_tdata"), saved_metadata().id_of("pool_tdata"));
  EXPECT_EQ(metadata.pool_metadata_uuid(), saved_metadata().pool_metadata_uuid());
}

TEST(LvmMetadata, WhatLvmWouldNotReadIsAFlaw) {
  EXPECT_EQ(saved_metadata().flaw(), "");
  LvmMetadata twice = saved_metadata();
  twice.add_clone("a", "gold", *twice.device_of("web-1"), {1, "h"}, new_lvm_id());
  EXPECT_THAT(twice.flaw(), HasSubstr("'a' has another volume's device"));
  LvmMetadata same = saved_metadata();
  same.add_clone("a", "gold", 77, {1, "h"}, same.id_of("web-1"));
  EXPECT_THAT(same.flaw(), HasSubstr("'a' has another volume's identifier"));
  LvmMetadata orphan = saved_metadata();
  orphan.remove({"gold"});
  EXPECT_THAT(orphan.flaw(), HasSubstr("'web-1' has a pool or an origin that is not there"));
  LvmMetadata named = saved_metadata();
  named.rename(std::vector{std::pair<std::string, std::string>("web-1", "gold")});
  EXPECT_THAT(named.flaw(), HasSubstr("the same name"));
}

TEST(LvmMetadata, SaysWhoWroteItAndItsNumber) {
  LvmMetadata metadata = saved_metadata();
  metadata.sign("Write from domsmith.", {42, "there"});
  metadata.set_seqno(99);
  EXPECT_EQ(metadata.seqno(), 99U);
  EXPECT_THAT(metadata.text(), HasSubstr("description = \"Write from domsmith.\"\n"));
  EXPECT_THAT(metadata.text(), HasSubstr("creation_host = \"there\"\ncreation_time = 42\n"));
}

TEST(LvmMetadata, OtherTextsAreRefused) {
  EXPECT_TRUE(fails(LvmMetadata::parse("", "vg0", "pool"), ErrorCode::bad_input));
  EXPECT_TRUE(fails(LvmMetadata::parse(saved("pool.vg"), "vg1", "pool"), ErrorCode::bad_input));
  EXPECT_TRUE(fails(LvmMetadata::parse(saved("pool.vg"), "vg0", "gold"), ErrorCode::bad_input));
  EXPECT_TRUE(fails(LvmMetadata::parse(saved("pool.vg"), "vg0", "other"), ErrorCode::bad_input));
}

TEST(DeviceIds, HolesFirstThenAGoodWayAbove) {
  EXPECT_THAT(choose_device_ids({1, 2, 5}, 2), ElementsAre(3, 4));
  EXPECT_THAT(choose_device_ids({1, 2, 5}, 4), ElementsAre(3, 4, 6 + device_id_gap, 7 + device_id_gap));
  EXPECT_THAT(choose_device_ids({1}, 0), ElementsAre());
  EXPECT_EQ(choose_device_ids({highest_device_id}, 3).size(), 3U);
  EXPECT_THAT(choose_device_ids({1, highest_device_id}, 1), ElementsAre(2));
  std::set<ThinDeviceId> dense;
  for (ThinDeviceId id = 1; id < 100; ++id) {
    dense.insert(id);
  }
  dense.insert(highest_device_id - 1);
  EXPECT_EQ(choose_device_ids(dense, 5).front(), 100U);
}

TEST(LvmIds, HaveLvmsForm) {
  const std::string id = new_lvm_id();
  EXPECT_THAT(id, ::testing::MatchesRegex("[a-zA-Z0-9]{6}(-[a-zA-Z0-9]{4}){5}-[a-zA-Z0-9]{6}"));
  EXPECT_NE(id, new_lvm_id());
}

}  // namespace

}  // namespace domsmith::testing
