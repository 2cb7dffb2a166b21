// Archives that mean harm, all the way into a file system: nothing outside it is touched, and what is accepted is
// sound.
#include "imagebuild/archive/tar.h"

#include <gmock/gmock.h>

#include "tests/unit/archive/tar_bytes.h"
#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

using ::testing::HasSubstr;

Result<void> unpack(Image& image, std::string_view bytes) {
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  TRY(read_bytes(bytes, writer));
  TRY(writer.finish());
  return fs.close();
}

std::string unpacked(Image& image, const std::vector<TarMember>& members) {
  const auto done = unpack(image, tar(members));
  if (!done) {
    return told(done.error());
  }
  image.expect_clean();
  return "done";
}

TEST(HostileTar, LinksOutOfTheTreeLeadNowhereElse) {
  Image image(16 * mib);
  EXPECT_EQ(unpacked(image, {{.name = "out", .type = '2', .data = {}, .link = "../../../../../../tmp"},
                             {.name = "abs", .type = '2', .data = {}, .link = "/etc"},
                             {.name = "out/domsmith-hostile", .data = "caught"},
                             {.name = "abs/passwd", .data = "inside"}}),
            "done");
  EXPECT_FALSE(std::filesystem::exists("/tmp/domsmith-hostile"));
  FileSystem fs = image.open();
  EXPECT_EQ(must(fs.read_file("tmp/domsmith-hostile", 100)), "caught");
  EXPECT_EQ(must(fs.read_file("etc/passwd", 100)), "inside");
}

TEST(HostileTar, DuplicatesAndTypeChanges) {
  Image image(16 * mib);
  EXPECT_EQ(unpacked(image, {{.name = "a", .data = "1"},
                             {.name = "a", .type = '2', .data = {}, .link = "b"},
                             {.name = "a", .type = '5', .data = {}},
                             {.name = "a", .type = '3', .data = {}, .device_major = 1, .device_minor = 3},
                             {.name = "a", .data = "last"},
                             {.name = "h", .type = '1', .data = {}, .link = "a"},
                             {.name = "a", .type = '6', .data = {}}}),
            "done");
  EXPECT_EQ(must(image.open().read_file("h", 10)), "last");
  EXPECT_EQ(must(image.open().stat("a")).type, EntryType::fifo);
  EXPECT_THAT(unpacked(image, {{.name = "d/f", .data = "1"}, {.name = "d", .data = "x"}}), HasSubstr("not empty"));
}

TEST(HostileTar, HardLinksToWhatIsNotThere) {
  Image image(16 * mib);
  EXPECT_THAT(
      unpacked(image, {{.name = "h", .type = '1', .data = {}, .link = "later"}, {.name = "later", .data = "x"}}),
      HasSubstr("'later' does not exist"));
  EXPECT_THAT(unpacked(image, {{.name = "h", .type = '1', .data = {}, .link = "h"}}), HasSubstr("'h' does not exist"));
  EXPECT_THAT(
      unpacked(image, {{.name = "d", .type = '5', .data = {}}, {.name = "h", .type = '1', .data = {}, .link = "d"}}),
      HasSubstr("is a directory"));
}

TEST(HostileTar, PathsAsDeepAsTheyMayBe) {
  Image image(32 * mib);
  std::string deep;
  for (int depth = 0; depth < 511; ++depth) {
    deep += "d/";
  }
  EXPECT_EQ(unpacked(image, {{.name = "x", .data = "deep", .pax = {{"path", deep + "f"}}}}), "done");
  EXPECT_EQ(must(image.open().read_file(deep + "f", 10)), "deep");
  std::string name255;
  for (int part = 0; part < 15; ++part) {
    name255 += std::string(255, 'n') + "/";
  }
  EXPECT_EQ(unpacked(image, {{.name = "x", .data = "long", .pax = {{"path", name255 + std::string(255, 'e')}}}}),
            "done");
  EXPECT_THAT(unpacked(image, {{.name = "x", .data = "long", .pax = {{"path", "a/" + std::string(256, 'e')}}}}),
              HasSubstr("the name of 256 bytes is too long"));
}

TEST(HostileTar, NamesOfAnyBytes) {
  Image image(16 * mib);
  std::string name;
  for (int byte = 1; byte < 256; ++byte) {
    if (byte != '/') {
      name += static_cast<char>(byte);
    }
  }
  EXPECT_EQ(unpacked(image, {{.name = "x", .data = "bytes", .pax = {{"path", name}}}}), "done");
  EXPECT_EQ(must(image.open().read_file(name, 10)), "bytes");
}

TEST(HostileTar, MoreHardLinksThanExt4Counts) {
  Image image(64 * mib);
  std::string bytes = tar_member({.name = "file", .data = "x"});
  for (int number = 0; number < 70'000; ++number) {
    bytes += tar_member({.name = "l/" + std::to_string(number), .type = '1', .data = {}, .link = "file"});
  }
  const auto done = unpack(image, bytes + tar_end());
  ASSERT_FALSE(done);
  EXPECT_THAT(told(done.error()), HasSubstr("more than 65000 hard links"));
}

TEST(HostileTar, AttributesThatAreTooMany) {
  Image image(16 * mib);
  std::map<std::string, std::string> pax;
  for (int number = 0; number < 100; ++number) {
    pax["SCHILY.xattr.user.n" + std::to_string(number)] = std::string(100, 'v');
  }
  EXPECT_THAT(unpacked(image, {{.name = "f", .data = "x", .pax = pax}}), HasSubstr("does not fit"));
}

TEST(HostileTar, RandomDamageGivesASoundFileSystemOrAnError) {
  const std::string good =
      tar({{.name = "d", .type = '5', .data = {}},
           {.name = "d/first", .data = std::string(3000, 'x'), .pax = {{"SCHILY.xattr.user.a", "v"}}},
           {.name = "d/second", .type = '2', .data = {}, .link = "first"},
           {.name = "third", .type = '1', .data = {}, .link = "d/first"},
           {.name = "d/first", .data = "again"}});
  std::uint64_t state = 7;
  const auto random = [&state] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return state >> 33;
  };
  for (int round = 0; round < 60; ++round) {
    std::string bytes = good;
    for (int change = 0; change < 3; ++change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    Image image(8 * mib);
    if (unpack(image, bytes)) {
      image.expect_clean();
    }
  }
}

}  // namespace
}  // namespace domsmith::extfs
