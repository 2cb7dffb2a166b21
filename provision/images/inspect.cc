#include "provision/images/inspect.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/crypto.h"
#include "base/fd.h"
#include "base/worker.h"
#include "imagebuild/build.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith {

namespace {

constexpr unsigned most_seconds = 60;  // of a CPU; an emulated one needs ten for what takes one elsewhere
constexpr std::uint64_t longest_header = 1U << 20;
constexpr std::size_t piped_at_once = 1U << 20;       // of a file that goes through a pipe
constexpr std::uint64_t largest_part = 256ULL << 20;  // a kernel, an initramfs

Result<Inspection> look_into(BlockTarget& image) {
  extfs::FileSystem fs = TRY(extfs::FileSystem::open(image, Access::read_only));
  Inspection seen;
  seen.description = TRY(read_description(fs));
  if (seen.description.boot.kernel != "none") {
    seen.content.boot = TRY(boot::extract_boot_files(fs, seen.description.boot));
  }
  seen.content.packages = TRY(installed_in(fs)).packages.size();
  seen.content.used = fs.used_bytes();
  seen.content.filesystem_uuid = extfs::uuid_text(fs.uuid());
  return seen;
}

// Writes the bytes and gives their memory back piece by piece: reader and receiver together would have a kernel of 50
// MiB twice, which is more than a small dom0 has.
Result<void> send_away(std::string& bytes, int out) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  for (std::size_t sent = 0; sent < bytes.size();) {
    const std::size_t length = std::min<std::size_t>(piped_at_once, bytes.size() - sent);
    TRY(write_all(out, std::as_bytes(std::span(bytes).subspan(sent, length))));
    void* from = bytes.data() + sent;
    std::size_t room = length;
    if (std::align(page, page, from, room) != nullptr) {
      ::madvise(from, room / page * page, MADV_DONTNEED);
    }
    sent += length;
  }
  bytes.clear();
  return {};
}

// --- how an inspection comes out of the sealed process: the header's length, the header as JSON, kernel, initramfs
Result<void> send(Inspection seen, int out) {
  boot::BootFiles& boot = seen.content.boot;
  const nlohmann::json header{{"description", description_text(seen.description)},
                              {"packages", seen.content.packages},
                              {"used", seen.content.used},
                              {"uuid", seen.content.filesystem_uuid},
                              {"version", boot.version},
                              {"cmdline", boot.cmdline},
                              {"modules", boot.modules},
                              {"unpacked", boot.initrd_unpacked},
                              {"known", boot.ability.known},
                              {"pv", boot.ability.pv},
                              {"pvh", boot.ability.pvh},
                              {"kernel", boot.kernel.size()},
                              {"initrd", boot.initrd.size()}};
  const std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::uint64_t length = text.size();
  TRY(write_all(out, std::as_bytes(std::span(&length, 1))));
  TRY(write_all(out, text));
  TRY(send_away(boot.kernel, out));
  return write_all(out, boot.initrd);
}

// The target once more, by a descriptor that is known; nothing where it is no file.
struct Readable {
  std::unique_ptr<BlockTarget> target;
  WorkerOptions options;
};
std::optional<Readable> readable(const BlockTarget& image) {
  auto fd = open_fd(image.name(), O_RDONLY);
  if (!fd) {
    return std::nullopt;
  }
  Readable file;
  file.options.keep = {fd->get()};
  file.options.cpu_seconds = most_seconds;
  auto target = block_target_of(std::move(*fd), image.name());
  if (!target) {
    return std::nullopt;
  }
  file.target = std::move(*target);
  return file;
}

Result<std::string> receive_bytes(int in, std::uint64_t length, std::uint64_t limit) {
  if (length > limit) {
    return fail(ErrorCode::bad_input, "the image's boot files are too large");
  }
  std::string bytes;
  bytes.reserve(length);  // memory is taken as it fills
  while (bytes.size() < length) {
    const std::size_t from = bytes.size();
    bytes.resize(from + std::min<std::size_t>(piped_at_once, length - from));
    TRY(read_exactly(in, std::as_writable_bytes(std::span(bytes).subspan(from))));
  }
  return bytes;
}

Result<Inspection> receive(int in) try {
  std::uint64_t length = 0;
  TRY(read_exactly(in, std::as_writable_bytes(std::span(&length, 1))));
  const auto header = nlohmann::json::parse(TRY(receive_bytes(in, length, longest_header)));
  Inspection seen;
  seen.description = TRY(parse_description(header.at("description").get<std::string>()));
  header.at("packages").get_to(seen.content.packages);
  header.at("used").get_to(seen.content.used);
  header.at("uuid").get_to(seen.content.filesystem_uuid);
  boot::BootFiles& boot = seen.content.boot;
  header.at("version").get_to(boot.version);
  header.at("cmdline").get_to(boot.cmdline);
  header.at("modules").get_to(boot.modules);
  header.at("unpacked").get_to(boot.initrd_unpacked);
  header.at("known").get_to(boot.ability.known);
  header.at("pv").get_to(boot.ability.pv);
  header.at("pvh").get_to(boot.ability.pvh);
  boot.kernel = TRY(receive_bytes(in, header.at("kernel").get<std::uint64_t>(), largest_part));
  boot.initrd = TRY(receive_bytes(in, header.at("initrd").get<std::uint64_t>(), largest_part));
  if (!boot.version.empty()) {
    boot.kernel_sha256 = sha256_hex(boot.kernel);
    boot.initrd_sha256 = sha256_hex(boot.initrd);
  }
  return seen;
} catch (const nlohmann::json::exception&) {
  return fail(ErrorCode::bad_input, "the reader of the image talks nonsense");
}

}  // namespace

Result<Inspection> inspect_image(BlockTarget& image) {
  const std::optional<Readable> file = readable(image);
  if (!file) {
    return look_into(image);
  }
  Worker reader = TRY(
      Worker::start(file->options, [&](int out) -> Result<void> { return send(TRY(look_into(*file->target)), out); }));
  auto seen = receive(reader.out());
  if (!seen && seen.error().code == ErrorCode::interrupted) {
    return seen;
  }
  TRY(reader.finish());
  return seen;
}

Result<std::vector<ByteRange>> used_ranges(BlockTarget& image) {
  const std::optional<Readable> file = readable(image);
  const auto walk = [&](const std::function<Result<void>(ByteRange)>& take) -> Result<void> {
    extfs::FileSystem fs = TRY(extfs::FileSystem::open(file ? *file->target : image, Access::read_only));
    for (auto range = TRY(fs.next_used(0)); range; range = TRY(fs.next_used(range->offset + range->length))) {
      TRY(take(*range));
    }
    return {};
  };
  std::vector<ByteRange> ranges;
  if (!file) {
    TRY(walk([&](ByteRange range) -> Result<void> {
      ranges.push_back(range);
      return {};
    }));
    return ranges;
  }
  Worker reader = TRY(Worker::start(file->options, [&](int out) {
    return walk([out](ByteRange range) { return write_all(out, std::as_bytes(std::span(&range, 1))); });
  }));
  for (ByteRange range; TRY(read_some(reader.out(), std::as_writable_bytes(std::span(&range, 1)))) == sizeof range;) {
    const std::uint64_t end = ranges.empty() ? 0 : ranges.back().offset + ranges.back().length;
    if (range.offset < end || range.offset > image.size() || range.length > image.size() - range.offset ||
        range.length == 0) {
      return fail(ErrorCode::bad_input, "the image's file system uses blocks that it does not have");
    }
    ranges.push_back(range);
  }
  TRY(reader.finish());
  return ranges;
}

ImageRecord record_of(const Inspection& seen) {
  ImageRecord record;
  record.name = seen.description.name;
  record.version = seen.description.version;
  record.distribution = seen.description.distribution;
  record.release = seen.description.release;
  record.architecture = seen.description.architecture;
  record.recipe_sha256 = seen.description.recipe_sha256;
  fill_columns(record, seen.content);
  return record;
}

}  // namespace domsmith
