#include "imagebuild/archive/tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error_text.h"
#include "base/process.h"
#include "imagebuild/archive/decompress.h"
#include "tests/unit/archive/tar_bytes.h"

namespace domsmith {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

RecordingSink read(std::string_view bytes, const ArchiveLimits& limits = {}) {
  RecordingSink sink;
  const auto stats = read_bytes(bytes, sink, limits);
  EXPECT_TRUE(stats) << error_text(stats.error());
  return sink;
}

TEST(ReadArchive, GivesEveryKindOfEntry) {
  const RecordingSink sink = read(tar({
      {.name = "./", .type = '5', .data = {}, .mode = 0755},
      {.name = "./etc/", .type = '5', .data = {}, .mode = 0700, .uid = 3'000'000'000, .gid = 7},
      {.name = "./etc//hostname", .data = "web\n", .mode = 04755},
      {.name = "etc/link", .type = '2', .data = {}, .link = "../../../outside"},
      {.name = "etc/hard", .type = '1', .data = {}, .link = "./etc/hostname"},
      {.name = "dev/null", .type = '3', .data = {}, .mode = 0666, .device_major = 1, .device_minor = 3},
      {.name = "dev/disk", .type = '4', .data = {}, .device_major = 202, .device_minor = 16},
      {.name = "run/fifo", .type = '6', .data = {}},
  }));
  ASSERT_EQ(sink.got.size(), 8U);
  EXPECT_EQ(sink.got[0].entry.path, "");
  EXPECT_EQ(sink.got[0].entry.type, EntryType::directory);
  EXPECT_EQ(sink.got[1].entry.path, "etc");
  EXPECT_EQ(sink.got[1].entry.uid, 3'000'000'000U);
  EXPECT_EQ(sink.got[2].entry.path, "etc/hostname");
  EXPECT_EQ(sink.got[2].entry.mode, 04755U);
  EXPECT_EQ(sink.got[2].entry.size, 4U);
  EXPECT_EQ(sink.got[2].data, "web\n");
  EXPECT_EQ(sink.got[3].entry.type, EntryType::symlink);
  EXPECT_EQ(sink.got[3].entry.target, "../../../outside");  // text only
  EXPECT_EQ(sink.got[4].entry.type, EntryType::hard_link);
  EXPECT_EQ(sink.got[4].entry.target, "etc/hostname");
  EXPECT_EQ(sink.got[5].entry.type, EntryType::character_device);
  EXPECT_EQ(sink.got[5].entry.device_minor, 3U);
  EXPECT_EQ(sink.got[6].entry.type, EntryType::block_device);
  EXPECT_EQ(sink.got[6].entry.device_major, 202U);
  EXPECT_EQ(sink.got[7].entry.type, EntryType::fifo);
}

TEST(ReadArchive, TakesWhatPaxHeadersSay) {
  const std::string name = std::string(300, 'd') + "/" + std::string(255, 'n');
  const std::string capability("\1\0\0\2\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  const RecordingSink sink =
      read(tar({{.name = "short",
                 .data = "x",
                 .pax = {{"path", name},
                         {"mtime", "1700000000.123456789"},
                         {"uid", "4000000000"},
                         {"SCHILY.xattr.security.capability", capability},
                         {"SCHILY.xattr.user.empty", ""},
                         {"LIBARCHIVE.xattr.user.base64", "aGVsbG8"},
                         {"SCHILY.acl.access", "user::rw-,user:1000:rwx,group::r--,mask::rwx,other::---"}}}}));
  const Entry& entry = sink.only().entry;
  EXPECT_EQ(entry.path, name);
  EXPECT_EQ(entry.mtime.seconds, 1'700'000'000);
  EXPECT_EQ(entry.mtime.nanoseconds, 123'456'789U);
  EXPECT_EQ(entry.uid, 4'000'000'000U);
  EXPECT_EQ(entry.xattrs.at("security.capability"), capability);
  EXPECT_EQ(entry.xattrs.at("user.empty"), "");
  EXPECT_EQ(entry.xattrs.at("user.base64"), "hello");
  const std::string& acl = entry.xattrs.at("system.posix_acl_access");
  ASSERT_EQ(acl.size(), 4U + 5 * 8);
  EXPECT_EQ(acl.substr(0, 4), std::string("\2\0\0\0", 4));
  EXPECT_EQ(acl.substr(12, 8), std::string("\2\0\7\0\xe8\3\0\0", 8));  // user 1000, rwx
}

TEST(ReadArchive, RefusesPathsThatCouldLeaveTheImage) {
  for (const char* name : {"../etc/passwd", "etc/../../passwd", "a/..", "..", "./../x"}) {
    EXPECT_THAT(outcome(tar({{.name = name, .data = "x"}})), HasSubstr("'..' could leave the image")) << name;
  }
  EXPECT_THAT(outcome(tar({{.name = "/etc/passwd", .data = "x"}})), HasSubstr("absolute path"));
  EXPECT_THAT(outcome(tar({{.name = "//etc", .type = '5', .data = {}}})), HasSubstr("absolute path"));
  EXPECT_EQ(outcome(tar({{.name = "/", .type = '5', .data = {}}})), "done");
  EXPECT_THAT(outcome(tar({{.name = "a", .type = '1', .data = {}, .link = "../../etc/passwd"}})),
              HasSubstr("could leave"));
  EXPECT_THAT(outcome(tar({{.name = "a", .type = '1', .data = {}, .link = "/etc/passwd"}})),
              HasSubstr("absolute path"));
  EXPECT_THAT(outcome(tar({{.name = "a", .data = "x", .pax = {{"path", "../x"}}}})), HasSubstr("could leave"));
}

TEST(ReadArchive, RefusesNamesThatAreNone) {
  EXPECT_THAT(outcome(tar({{.name = "", .data = "x"}})), HasSubstr("error: "));
  EXPECT_THAT(outcome(tar({{.name = "x", .type = '2', .data = {}, .link = ""}})),
              HasSubstr("symbolic link to nothing"));
  EXPECT_THAT(outcome(tar({{.name = "x", .data = "x", .pax = {{"path", std::string(5000, 'x')}}}})),
              HasSubstr("longer than 4095 bytes"));
  std::string deep;
  for (int depth = 0; depth < 600; ++depth) {
    deep += "d/";
  }
  EXPECT_THAT(outcome(tar({{.name = "x", .data = "x", .pax = {{"path", deep + "x"}}}})),
              HasSubstr("deeper than 512 folders"));
}

TEST(ReadArchive, KeepsNamesThatAreNotUtf8) {
  const std::string name = "caf\xe9-\xff\xfe";
  EXPECT_EQ(read(tar({{.name = name, .data = "x"}})).only().entry.path, name);
  EXPECT_EQ(
      read(tar({{.name = "n", .data = "x", .pax = {{"path", name}, {"hdrcharset", "BINARY"}}}})).only().entry.path,
      name);
  EXPECT_EQ(read(tar({{.name = "n", .data = "x", .pax = {{"path", "na\xc3\xafve"}}}})).only().entry.path,
            "na\xc3\xafve");
  EXPECT_EQ(read(tar({{.name = "n", .data = "x", .pax = {{"path", name}}}})).only().entry.path, name);
  EXPECT_EQ(read(tar({{.name = "n", .type = '2', .data = {}, .link = "short", .pax = {{"linkpath", name}}}}))
                .only()
                .entry.target,
            name);
}

TEST(ReadArchive, FollowsPolicy) {
  const std::string device = tar(
      {{.name = "null", .type = '3', .data = {}, .device_major = 1, .device_minor = 3}, {.name = "f", .data = "x"}});
  EXPECT_EQ(read(device, {.devices = ArchivePolicy::keep}).got.size(), 2U);
  EXPECT_EQ(read(device, {.devices = ArchivePolicy::skip}).got.size(), 1U);
  EXPECT_THAT(outcome(device, {.devices = ArchivePolicy::refuse}), HasSubstr("device nodes are not allowed"));
  const std::string setuid = tar({{.name = "su", .data = "x", .mode = 06755}});
  EXPECT_EQ(read(setuid, {.setuid = ArchivePolicy::keep}).only().entry.mode, 06755U);
  EXPECT_EQ(read(setuid, {.setuid = ArchivePolicy::skip}).only().entry.mode, 0755U);
  EXPECT_THAT(outcome(setuid, {.setuid = ArchivePolicy::refuse}), HasSubstr("another user's rights"));
}

TEST(ReadArchive, KeepsLimits) {
  const std::string two =
      tar({{.name = "a", .data = std::string(100, 'x')}, {.name = "b", .data = std::string(100, 'x')}});
  EXPECT_THAT(outcome(two, {.entries = 1}), HasSubstr("more than 1 entries"));
  EXPECT_THAT(outcome(two, {.data_bytes = 150}), HasSubstr("unpacks to more than 150 B"));
  EXPECT_THAT(outcome(two, {.file_size = 99}), HasSubstr("larger than 99 B"));
  EXPECT_EQ(outcome(two, {.entries = 2, .data_bytes = 200, .file_size = 100}), "done");
  const std::string attribute =
      tar({{.name = "a", .data = {}, .pax = {{"SCHILY.xattr.user.a", std::string(1000, 'x')}}}});
  EXPECT_THAT(outcome(attribute, {.attribute_bytes = 500}), HasSubstr("attributes"));
}

TEST(ReadArchive, RefusesABombInCompression) {
  const std::string bomb =
      compress(tar({{.name = "zero", .data = std::string(200U << 20, '\0')}}), Compression::zstd).value();
  ASSERT_LT(bomb.size(), 100'000U);
  EXPECT_THAT(outcome(bomb), HasSubstr("unpacks to more than 2000 times its size"));
  EXPECT_EQ(outcome(bomb, {.ratio = 1'000'000}), "done");
}

TEST(ReadArchive, SparseFilesComeInRanges) {
  const auto sparse = [](const std::string& map, std::string data, const std::string& size) {
    return tar({{.name = "GNUSparseFile.0/f",
                 .data = map + std::move(data),
                 .pax = {{"GNU.sparse.major", "1"},
                         {"GNU.sparse.minor", "0"},
                         {"GNU.sparse.name", "f"},
                         {"GNU.sparse.realsize", size}}}});
  };
  std::string map = "2\n1048576\n4\n1073741824\n3\n";
  map.resize(512, '\0');
  const RecordingSink sink = read(sparse(map, "abcdefg", "2147483648"));
  EXPECT_EQ(sink.only().entry.path, "f");
  EXPECT_EQ(sink.only().entry.size, 2'147'483'648U);
  EXPECT_EQ(sink.only().data, "abcdefg");
  ASSERT_EQ(sink.only().ranges.size(), 2U);
  EXPECT_EQ(sink.only().ranges[0].offset, 1'048'576U);
  EXPECT_EQ(sink.only().ranges[1].offset, 1'073'741'824U);
  EXPECT_THAT(outcome(sparse(map, "abcdefg", "1152921504606846976")), HasSubstr("larger than"));  // 1 EiB
}

TEST(ReadArchive, SaysWhereTheDamageIs) {
  const std::string good = tar({{.name = "first", .data = "x"}, {.name = "second", .data = std::string(2000, 'x')}});
  EXPECT_THAT(outcome(good.substr(0, 1200)), HasSubstr("error: "));
  EXPECT_THAT(outcome(good.substr(0, 2000)), HasSubstr("'second'"));
  EXPECT_THAT(outcome(good.substr(0, 100)), HasSubstr("this is no tar archive"));
  EXPECT_THAT(outcome(tar({{.name = "first", .data = "x"}, {.name = "second", .data = "x", .bad_checksum = true}})),
              HasSubstr("damaged behind 'first'"));
  EXPECT_THAT(outcome(good + std::string(1024, 'g')), HasSubstr("damaged behind 'second'"));
  EXPECT_THAT(outcome(std::string(5000, 'g')), HasSubstr("this is no tar archive"));
  EXPECT_THAT(outcome(tar({{.name = "large", .data = "x", .size_says = 1ULL << 40}})), HasSubstr("'large'"));
  EXPECT_EQ(outcome(good + std::string(64 * 1024, '\0')), "done");
  EXPECT_EQ(outcome(tar_end()), "done");
  EXPECT_EQ(outcome(""), "done");
}

TEST(ReadArchive, ReadsEveryCompression) {
  const std::string plain = tar({{.name = "file", .data = std::string(100'000, 'x')}});
  for (const Compression method : {Compression::gzip, Compression::xz, Compression::zstd}) {
    const std::string packed = compress(plain, method).value();
    ASSERT_LT(packed.size(), plain.size());
    EXPECT_EQ(read(packed).only().data.size(), 100'000U);
    EXPECT_THAT(outcome(packed.substr(0, packed.size() / 2)), HasSubstr("error: "));
  }
}

TEST(ReadArchive, ReadsWhatTarWrites) {
  const auto program = find_program("tar");
  if (!program) {
    GTEST_SKIP() << "tar is not installed";
  }
  const auto folder = TemporaryDirectory::make().value();
  for (const char* format : {"ustar", "gnu", "pax"}) {
    SCOPED_TRACE(format);
    ASSERT_TRUE(write_file_atomic(folder.path() / "tree/etc/a-file", "bytes"));
    const auto packed =
        run_checked({.argv = {*program, "-c", std::string("--format=") + format, "-C", folder.path() / "tree", "."},
                     .environment = {},
                     .working_directory = {}});
    ASSERT_TRUE(packed) << error_text(packed.error());
    const RecordingSink sink = read(packed->out);
    EXPECT_EQ(sink.got.size(), 3U);
    EXPECT_EQ(sink.got.back().entry.path, "etc/a-file");
    EXPECT_EQ(sink.got.back().data, "bytes");
  }
}

TEST(ReadArchive, SurvivesRandomDamage) {
  const std::string good = tar({{.name = "first", .data = "x", .pax = {{"SCHILY.xattr.user.a", "v"}, {"mtime", "1.5"}}},
                                {.name = "second", .type = '2', .data = {}, .link = "first"},
                                {.name = "third", .data = std::string(700, 'x'), .pax = {{"GNU.sparse.major", "1"}}}});
  std::uint64_t state = 42;
  const auto random = [&state] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return state >> 33;
  };
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = good;
    for (std::uint64_t change = random() % 5; change-- > 0;) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    RecordingSink sink;
    static_cast<void>(read_bytes(bytes, sink));
  }
}

}  // namespace
}  // namespace domsmith
