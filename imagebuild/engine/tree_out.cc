#include "imagebuild/engine/tree_out.h"

#include <array>

#include "base/progress.h"
#include "imagebuild/tree/folder.h"
#include "imagebuild/tree/wire.h"

namespace domsmith::engine {
namespace {

// SOURCE_DATE_EPOCH (reproducible-builds.org/specs/source-date-epoch): later times become this one.
class Clamp final : public TreeSink {
 public:
  Clamp(TreeSink& out, std::int64_t epoch) : out_(&out), epoch_(epoch) {}
  Result<void> entry(const Entry& given) override {
    Entry entry = given;
    if (entry.mtime.seconds >= epoch_) {
      entry.mtime = {.seconds = epoch_, .nanoseconds = 0};
    }
    return out_->entry(entry);
  }
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override {
    return out_->data(offset, bytes);
  }
  Result<void> finish() override { return out_->finish(); }

 private:
  TreeSink* out_;
  std::int64_t epoch_;
};

struct Device {
  const char* name;
  std::uint32_t major, minor;
};
constexpr std::array<Device, 8> devices{{{"console", 5, 1},
                                         {"full", 1, 7},
                                         {"null", 1, 3},
                                         {"ptmx", 5, 2},
                                         {"random", 1, 8},
                                         {"tty", 5, 0},
                                         {"urandom", 1, 9},
                                         {"zero", 1, 5}}};

Result<void> give_devices(TreeSink& out) {
  for (const char* folder : {"dev", "dev/pts", "dev/shm"}) {
    Entry entry;
    entry.path = folder;
    entry.type = EntryType::directory;
    entry.mode = 0755;
    entry.mtime.seconds = INT64_MAX;
    TRY(out.entry(entry));
  }
  for (const Device& device : devices) {
    Entry entry;
    entry.path = std::string("dev/") + device.name;
    entry.type = EntryType::character_device;
    entry.mode = 0666;
    entry.mtime.seconds = INT64_MAX;
    entry.device_major = device.major;
    entry.device_minor = device.minor;
    TRY(out.entry(entry));
  }
  constexpr std::array<std::pair<const char*, const char*>, 4> links{{{"dev/fd", "/proc/self/fd"},
                                                                      {"dev/stderr", "/proc/self/fd/2"},
                                                                      {"dev/stdin", "/proc/self/fd/0"},
                                                                      {"dev/stdout", "/proc/self/fd/1"}}};
  for (const auto& [path, target] : links) {
    Entry entry;
    entry.path = path;
    entry.type = EntryType::symlink;
    entry.mode = 0777;
    entry.mtime.seconds = INT64_MAX;
    entry.target = target;
    TRY(out.entry(entry));
  }
  return {};
}

}  // namespace

Result<void> give_tree(const std::string& root, std::int64_t epoch, int fd) {
  WireWriter wire(fd);
  Clamp out(wire, epoch);
  SilentProgress silent;
  TRY(read_folder(root, out, silent));
  TRY(give_devices(out));
  return out.finish();
}

}  // namespace domsmith::engine
