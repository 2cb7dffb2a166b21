#include "imagebuild/tree/stream.h"

#include <sys/mman.h>

#include <random>

#include "tests/unit/sources/support.h"

namespace domsmith {
namespace {

Fd memory_file(std::string_view bytes = {}) {
  Fd fd(::memfd_create("stream", MFD_CLOEXEC));
  must(write_all(fd.get(), bytes));
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::string bytes_of(int fd) {
  std::string bytes(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  must(pread_some(fd, 0, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

Entry sample(std::string path, EntryType type, std::string target = {}) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = type;
  entry.target = std::move(target);
  entry.mode = 04755;
  entry.uid = 1000;
  entry.gid = 0xfffffffe;
  entry.mtime = {.seconds = -5, .nanoseconds = 999'999'999};
  entry.size = type == EntryType::regular ? 10 : 0;
  entry.xattrs = {{"user.a", std::string("\0b", 2)}};
  return entry;
}

std::string sample_stream() {
  const Fd fd = memory_file();
  StreamSink sink(fd.get());
  must(sink.entry(sample("", EntryType::directory)));
  must(sink.entry(sample("etc/file", EntryType::regular)));
  must(sink.data(2, std::as_bytes(std::span("abc", 3))));
  must(sink.data(7, std::as_bytes(std::span("xyz", 3))));
  must(sink.entry(sample("etc/same", EntryType::hard_link, "etc/file")));
  must(sink.entry(sample("link", EntryType::symlink, "/../../anything")));
  must(sink.finish());
  return bytes_of(fd.get());
}

Result<StreamStats> read(std::string_view bytes, TreeSink& sink) {
  const Fd fd = memory_file(bytes);
  SilentProgress silent;
  return read_stream(fd.get(), sink, silent, "tree");
}

TEST(TreeStream, GivesWhatWasPut) {
  MemoryTree tree;
  const StreamStats stats = must(read(sample_stream(), tree));
  EXPECT_EQ(stats.entries, 4U);
  EXPECT_EQ(stats.data_bytes, 6U);
  EXPECT_EQ(tree.contents.at("etc/file"), std::string("\0\0abc\0\0xyz", 10));
  const Entry& file = tree.entries.at("etc/file");
  EXPECT_EQ(file.mode, 04755U);
  EXPECT_EQ(file.gid, 0xfffffffe);
  EXPECT_EQ(file.mtime.seconds, -5);
  EXPECT_EQ(file.xattrs.at("user.a"), std::string("\0b", 2));
  EXPECT_EQ(tree.entries.at("link").target, "/../../anything");
}

TEST(TreeStream, RefusesPathsThatAreNotNormalised) {
  for (const char* path : {"/etc", "etc/", "a//b", "..", "a/../b", "./a", "a/."}) {
    const Fd fd = memory_file();
    StreamSink sink(fd.get());
    must(sink.entry(sample(path, EntryType::directory)));
    must(sink.finish());
    MemoryTree tree;
    EXPECT_FALSE(read(bytes_of(fd.get()), tree)) << path;
    EXPECT_TRUE(tree.entries.empty()) << path;
  }
}

TEST(TreeStream, RefusesDataOutsideOfItsFile) {
  const auto with = [](std::uint64_t first, std::uint64_t second) {
    const Fd fd = memory_file();
    StreamSink sink(fd.get());
    must(sink.entry(sample("f", EntryType::regular)));
    must(sink.data(first, std::as_bytes(std::span("abc", 3))));
    must(sink.data(second, std::as_bytes(std::span("abc", 3))));
    must(sink.finish());
    MemoryTree tree;
    return read(bytes_of(fd.get()), tree).has_value();
  };
  EXPECT_TRUE(with(0, 7));
  EXPECT_FALSE(with(0, 8));
  EXPECT_FALSE(with(4, 0));
  EXPECT_FALSE(with(0, ~0ULL - 1));
}

TEST(TreeStream, EndsWhereverItIsCut) {
  const std::string whole = sample_stream();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    MemoryTree tree;
    EXPECT_FALSE(read(std::string_view(whole).substr(0, length), tree)) << length;
  }
}

TEST(TreeStream, SurvivesChangedBytes) {
  const std::string good = sample_stream();
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same inputs every time
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    for (unsigned i = 0; i < 1 + random() % 3; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    MemoryTree tree;
    (void)read(bytes, tree);
    for (const auto& [path, entry] : tree.entries) {
      EXPECT_LE(entry.mode, 07777U);
      EXPECT_FALSE(path.starts_with('/') || path.contains("//") || path == "..");
    }
  }
}

}  // namespace
}  // namespace domsmith
