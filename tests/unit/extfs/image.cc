#include "tests/unit/extfs/image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/error_text.h"
#include "base/process.h"

namespace domsmith::extfs {

std::string told(const Error& error) { return error_text(error); }

Image::Image(std::uint64_t size)
    : directory_(must(TemporaryDirectory::make())), path_(directory_.path() / "image.raw") {
  std::ofstream(path_).close();
  std::filesystem::resize_file(path_, size);
  target_ = must(open_block_target(path_, Access::read_write));
}

std::uint64_t Image::allocated() const {
  struct stat info = {};
  ::stat(path_.c_str(), &info);
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

FileSystem Image::format(std::uint32_t inode_ratio) {
  const Uuid uuid = *parse_uuid("6f1b1e0a-5f0e-4c53-9d1b-3a1f8a3f7c11");
  return must(FileSystem::format(
      *target_, {.label = "root", .uuid = uuid, .hash_seed = uuid, .time = 1'700'000'000, .inode_ratio = inode_ratio}));
}

void Image::expect_clean() const {
  const auto e2fsck = find_program("e2fsck");
  if (!e2fsck) {
    return;
  }
  const auto checked = must(run({.argv = {*e2fsck, "-fn", path_}, .environment = {}, .working_directory = {}}));
  EXPECT_TRUE(checked.status.success()) << checked.out << checked.err_tail;
}

Entry file(std::string path, std::uint64_t size, std::uint32_t mode) {
  Entry entry;
  entry.path = std::move(path);
  entry.mode = mode;
  entry.size = size;
  entry.mtime = {.seconds = 1'600'000'000, .nanoseconds = 1};
  return entry;
}

Entry directory(std::string path, std::uint32_t mode) {
  Entry entry = file(std::move(path), 0, mode);
  entry.type = EntryType::directory;
  return entry;
}

Entry symlink(std::string path, std::string target) {
  Entry entry = file(std::move(path), 0, 0777);
  entry.type = EntryType::symlink;
  entry.target = std::move(target);
  return entry;
}

Entry hard_link(std::string path, std::string target) {
  Entry entry = symlink(std::move(path), std::move(target));
  entry.type = EntryType::hard_link;
  return entry;
}

void add_file(TreeWriter& writer, std::string path, std::string_view bytes) {
  must(writer.entry(file(std::move(path), bytes.size())));
  must(writer.data(0, std::as_bytes(std::span(bytes))));
}

bool LoopMount::possible() { return ::geteuid() == 0 && ::access("/dev/loop-control", R_OK | W_OK) == 0; }

LoopMount::LoopMount(const Image& image, bool writable) : directory_(must(TemporaryDirectory::make())) {
  const std::string mount = must(find_program("mount"));
  must(run_checked(
      {.argv = {mount, "-t", "ext4", "-o", writable ? "loop,rw" : "loop,ro", image.path(), directory_.path()},
       .environment = {},
       .working_directory = {}}));
}

LoopMount::~LoopMount() {
  if (const auto umount = find_program("umount")) {
    static_cast<void>(run({.argv = {*umount, directory_.path()}, .environment = {}, .working_directory = {}}));
  }
}

}  // namespace domsmith::extfs
