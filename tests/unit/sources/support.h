// Trees in memory, and tar archives made by tar(1).
#pragma once

#include <gmock/gmock.h>
#include <unistd.h>

#include <map>

#include "base/error_text.h"
#include "base/file.h"
#include "base/process.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

// What a sink was given: path -> entry, and the bytes of files.
class MemoryTree final : public TreeSink {
 public:
  Result<void> entry(const Entry& entry) override {
    entries[entry.path] = entry;
    last_ = entry.path;
    return {};
  }
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override {
    std::string& into = contents[last_];
    into.resize(std::max<std::size_t>(into.size(), offset + bytes.size()));
    into.replace(offset, bytes.size(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Result<void> finish() override { return {}; }

  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> contents;

 private:
  std::string last_;
};

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << error_text(result.error());
    throw std::runtime_error("see above");
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

inline std::string words_of(const Error& error) {
  std::string text = error.what;
  for (const std::string& cause : error.causes) {
    text += "; " + cause;
  }
  return text;
}

// tar(1) of a folder, as SOURCE says: relative paths.
inline void make_tar(const std::filesystem::path& folder, const std::filesystem::path& tar) {
  must(run_checked({.argv = {"/bin/tar", "--numeric-owner", "-C", folder, "-cf", tar, "."},
                    .environment = {},
                    .working_directory = {}}));
}

}  // namespace domsmith
