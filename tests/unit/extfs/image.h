// A raw file to put file systems on, the checks that every one of them has to pass, and short ways to make entries.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/block_target.h"
#include "base/file.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/extfs/writer.h"

namespace domsmith::extfs {

constexpr std::uint64_t mib = 1U << 20;

// The value, or a test that fails with the Error's text (and stops, by an exception).
std::string told(const Error& error);
template <class T>
T must(Result<T> result) {
  if (!result) {
    throw std::runtime_error(told(result.error()));
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

class Image {
 public:
  explicit Image(std::uint64_t size);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] BlockTarget& target() { return *target_; }
  [[nodiscard]] std::uint64_t allocated() const;  // bytes of the raw file that are no holes

  // With the same UUID, hash seed and time every time.
  FileSystem format(std::uint32_t inode_ratio = 16384);
  FileSystem open(Access access = Access::read_write) { return must(FileSystem::open(*target_, access)); }

  // e2fsck -fn finds nothing. Where e2fsck is absent, nothing is checked.
  void expect_clean() const;

 private:
  TemporaryDirectory directory_;
  std::filesystem::path path_;
  std::unique_ptr<BlockTarget> target_;
};

Entry file(std::string path, std::uint64_t size = 0, std::uint32_t mode = 0644);
Entry directory(std::string path, std::uint32_t mode = 0755);
Entry symlink(std::string path, std::string target);
Entry hard_link(std::string path, std::string target);

// An entry of the right size with its bytes.
void add_file(TreeWriter& writer, std::string path, std::string_view bytes);

// The image, mounted by the kernel for as long as the object lives; only as root, where there are loop devices.
class LoopMount {
 public:
  static bool possible();
  LoopMount(const Image& image, bool writable);
  ~LoopMount();
  LoopMount(const LoopMount&) = delete;
  LoopMount& operator=(const LoopMount&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
};

}  // namespace domsmith::extfs
