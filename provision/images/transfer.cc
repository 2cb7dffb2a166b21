#include "provision/images/transfer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <future>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json_text.h"
#include "imagebuild/boot/cache.h"
#include "provision/images/copy_used.h"
#include "provision/images/inspect.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

// A file that is removed again unless it is kept.
class NewFile {
 public:
  static Result<NewFile> create(const fs::path& path, std::uint64_t size) {
    Fd fd = TRY(open_fd(path.string(), O_RDWR | O_CREAT | O_TRUNC, 0644));
    NewFile file(path);
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
      return fail_errno(fmt::format("cannot size {}", path.string()), errno);
    }
    file.target_ = TRY(block_target_of(std::move(fd), path.string()));
    return file;
  }
  NewFile(NewFile&& other) noexcept : path_(std::exchange(other.path_, {})), target_(std::move(other.target_)) {}
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile() {
    if (!path_.empty()) {
      ::unlink(path_.c_str());
    }
  }
  BlockTarget& target() { return *target_; }
  Result<void> keep_as(const fs::path& name) {
    TRY(target_->flush());
    if (::rename(path_.c_str(), name.c_str()) != 0) {
      return fail_errno(fmt::format("cannot put {} in place", name.string()), errno);
    }
    path_.clear();
    return {};
  }

 private:
  explicit NewFile(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
  std::unique_ptr<BlockTarget> target_;
};

Result<void> export_boot_files(const Workplace& place, const ImageRecord& image, const fs::path& directory) {
  if (image.kernel_sha256.empty()) {
    return {};
  }
  const boot::BootCache cache(place.boot);
  TRY(write_file_atomic(directory / "kernel",
                        TRY(read_file(cache.kernel_path(image.kernel_sha256), boot::longest_boot_file))));
  return write_file_atomic(directory / "initrd.img",
                           TRY(read_file(cache.initrd_path(image.initrd_sha256), boot::longest_boot_file)));
}

}  // namespace

Result<void> export_image(Workplace& place, VolumeStore& store, const ImageRecord& image, const fs::path& directory,
                          Progress& progress) {
  TRY(make_directories(directory));
  const fs::path raw = directory / (image.name + ".img");
  if (fs::exists(raw)) {
    return fail(ErrorCode::exists, fmt::format("{} is there already", raw.string()),
                "remove it, or export to another folder");
  }
  progress.begin("copy", image.size, "bytes");
  const std::unique_ptr<BlockTarget> from = TRY(store.open(image.volume, Access::read_only));
  NewFile file = TRY(NewFile::create(directory / ("." + image.name + ".img.new"), image.size));
  TRY(copy_used_blocks(*from, file.target(), progress));
  TRY(export_boot_files(place, image, directory));
  TRY(write_file_atomic(directory / (image.name + ".json"), json_text(record_json(image))));
  TRY(file.keep_as(raw));
  progress.end("copy");
  return sync_directory(directory);
}

namespace {

// The one *.img of an exported folder, or the file itself.
Result<fs::path> raw_image(const fs::path& source) {
  std::error_code error;
  if (!fs::is_directory(source, error)) {
    return source;
  }
  fs::path found;
  for (const auto& entry : fs::directory_iterator(source, error)) {
    if (entry.path().extension() == ".img" && entry.path().filename() != "initrd.img" &&
        !entry.path().filename().string().starts_with('.')) {
      if (!found.empty()) {
        return fail(ErrorCode::bad_input, fmt::format("{} holds more than one image", source.string()),
                    fmt::format("name the file: domsmith image import {}", found.string()));
      }
      found = entry.path();
    }
  }
  if (found.empty()) {
    return fail(ErrorCode::bad_input, fmt::format("{} holds no exported image (NAME.img)", source.string()));
  }
  return found;
}

Result<std::string> exported_file(const fs::path& file, const std::string& sha256) {
  std::string bytes = TRY(read_file(file, boot::longest_boot_file));
  if (sha256_hex(bytes) != sha256) {
    return fail(ErrorCode::bad_input, fmt::format("{} is not the file that was exported", file.string()),
                "export the image again");
  }
  return bytes;
}

struct Exported {
  ImageRecord record;
  Populated content;  // its boot files without their bytes
};
Result<Exported> read_exported(const fs::path& raw) try {
  const fs::path folder = raw.parent_path();
  const auto facts = nlohmann::json::parse(TRY(read_file(folder / (raw.stem().string() + ".json"))));
  Exported all;
  facts.at("name").get_to(all.record.name);
  facts.at("version").get_to(all.record.version);
  facts.at("distribution").get_to(all.record.distribution);
  facts.at("release").get_to(all.record.release);
  facts.at("architecture").get_to(all.record.architecture);
  facts.at("recipe_sha256").get_to(all.record.recipe_sha256);
  facts.at("used").get_to(all.content.used);
  facts.at("packages").get_to(all.content.packages);
  facts.at("filesystem_uuid").get_to(all.content.filesystem_uuid);
  boot::BootFiles& boot = all.content.boot;
  facts.at("kernel_version").get_to(boot.version);
  if (!boot.version.empty()) {
    facts.at("cmdline").get_to(boot.cmdline);
    facts.at("kernel_sha256").get_to(boot.kernel_sha256);
    facts.at("initrd_sha256").get_to(boot.initrd_sha256);
  }
  return all;
} catch (const nlohmann::json::exception&) {
  return fail(ErrorCode::bad_input, fmt::format("what is known of {} is no record of an image", raw.string()),
              "export the image again");
}

Result<boot::BootFiles> with_exported_bytes(boot::BootFiles files, const fs::path& folder) {
  if (!files.version.empty()) {
    files.kernel = TRY(exported_file(folder / "kernel", files.kernel_sha256));
    files.initrd = TRY(exported_file(folder / "initrd.img", files.initrd_sha256));
  }
  return files;
}

// `content` is asked when the blocks are there, once: a kernel is 50 MiB, of the little that a dom0 has.
Result<ImageRecord> copy_in(Workplace& place, VolumeStore& store, BlockTarget& from, ImageRecord record,
                            const std::function<Result<Populated>()>& content, Progress& progress) {
  record.size = from.size();
  record.created = system_clock().now();
  return make_image(
      place, store, "import", std::move(record),
      [&](BlockTarget& target, const fs::path&) -> Result<Populated> {
        progress.begin("copy", from.size(), "bytes");
        TRY(copy_used_blocks(from, target, progress));
        Populated populated = TRY(content());
        progress.end("copy");
        return populated;
      },
      progress);
}

}  // namespace

Result<ImageRecord> import_exported(Workplace& place, VolumeStore& store, const fs::path& folder, Progress& progress) {
  const fs::path raw = TRY(raw_image(folder));
  const std::unique_ptr<BlockTarget> from = TRY(open_block_target(raw.string(), Access::read_only));
  Exported all = TRY(read_exported(raw));
  // Sixty megabytes of kernel are read and hashed while the blocks are copied.
  auto boot_files = std::async(std::launch::async, with_exported_bytes, all.content.boot, raw.parent_path());
  const auto content = [&]() -> Result<Populated> {
    all.content.boot = TRY(boot_files.get());
    return std::move(all.content);
  };
  return copy_in(place, store, *from, std::move(all.record), content, progress);
}

Result<ImageRecord> import_image(Workplace& place, VolumeStore& store, const fs::path& source, const std::string& name,
                                 Progress& progress) {
  const fs::path raw = TRY(raw_image(source));
  const std::unique_ptr<BlockTarget> from = TRY(open_block_target(raw.string(), Access::read_only));
  Inspection seen = TRY_AS(inspect_image(*from), fmt::format("{} is no image of domsmith's", raw.string()));
  ImageRecord record = record_of(seen);
  if (!name.empty()) {
    record.name = name;
  }
  return copy_in(place, store, *from, std::move(record), [&] { return std::move(seen.content); }, progress);
}

}  // namespace domsmith
