#include "imagebuild/archive/tar.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "imagebuild/archive/handle.h"
#include "imagebuild/archive/tar_entry.h"

namespace domsmith {
namespace {

constexpr std::size_t input_bytes = 256U << 10;  // stays in a core's cache between read and write
constexpr std::uint64_t progress_step = 4U << 20;
constexpr std::uint64_t ratio_grace = 64ULL << 20;  // unpacked bytes before the ratio counts
constexpr int pipe_bytes = 1 << 20;

class Reader {
 public:
  Reader(int fd, std::uint64_t length, TreeSink& sink, const ArchiveLimits& limits, Progress& progress)
      : fd_(fd), left_(length), sink_(&sink), limits_(&limits), progress_(&progress), buffer_(input_bytes) {}

  Result<ArchiveStats> run() {
    fcntl(fd_, F_SETPIPE_SZ, pipe_bytes);  // no pipe, or not allowed: as it is
    handle_.reset(archive_read_new());
    support_filters(handle_.get());
    archive_read_support_format_tar(handle_.get());
    archive_read_support_format_empty(handle_.get());
    archive_read_set_options(handle_.get(), "tar:hdrcharset=BINARY");
    // What follows the end mark is looked at too, so that garbage there is an error.
    archive_read_set_options(handle_.get(), "tar:read_concatenated_archives");
    if (archive_read_open(handle_.get(), this, nullptr, &Reader::read_callback, nullptr) != ARCHIVE_OK) {
      return failed("this is no tar archive");
    }
    TRY(read_members());
    TRY(drain());
    progress_->end("archive");
    return stats_;
  }

 private:
  static la_ssize_t read_callback(struct archive* /*handle*/, void* self, const void** bytes) {
    return static_cast<Reader*>(self)->read_more(bytes);
  }

  la_ssize_t read_more(const void** bytes) {
    auto got = read_input();
    if (!got) {
      input_error_ = std::move(got).error();
      archive_set_error(handle_.get(), EIO, "%s", input_error_->what.c_str());
      return -1;
    }
    *bytes = buffer_.data();
    return static_cast<la_ssize_t>(*got);
  }

  // One read(2), not a full buffer: what a pipe holds is worked on while its writer goes on.
  Result<std::size_t> read_input() {
    TRY(check_interrupted());
    const ssize_t got = ::read(fd_, buffer_.data(), std::min<std::uint64_t>(buffer_.size(), left_));
    if (got < 0 && errno == EINTR) {
      return read_input();
    }
    if (got < 0) {
      return fail_errno("cannot read the archive", errno);
    }
    left_ -= static_cast<std::size_t>(got);
    stats_.input_bytes += static_cast<std::size_t>(got);
    if (stats_.input_bytes - reported_ >= progress_step) {
      reported_ = stats_.input_bytes;
      progress_->advance("archive", reported_, 0, "bytes");
    }
    return static_cast<std::size_t>(got);
  }

  std::unexpected<Error> failed(std::string what) {
    if (input_error_) {
      return std::unexpected(*std::exchange(input_error_, std::nullopt));
    }
    return archive_fail(handle_.get(), std::move(what));
  }

  Result<void> read_members() {
    struct archive_entry* member = nullptr;
    for (;;) {
      const int code = archive_read_next_header(handle_.get(), &member);
      if (code == ARCHIVE_EOF) {
        return {};
      }
      if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
        return failed(last_path_.empty() ? "the archive is damaged at its start"
                                         : fmt::format("the archive is damaged behind '{}'", last_path_));
      }
      const char* raw = archive_entry_pathname(member);
      last_path_ = shown_path(raw == nullptr ? "" : raw);
      if (code == ARCHIVE_WARN) {
        warn();
      }
      TRY_AS(read_member(member), fmt::format("cannot take '{}' from the archive", last_path_));
    }
  }

  void warn() {
    if (++warnings_ <= 10) {
      const char* text = archive_error_string(handle_.get());
      progress_->warning(
          fmt::format("'{}' in the archive: {}", last_path_, text == nullptr ? "something is odd" : text));
    }
  }

  Result<void> read_member(struct archive_entry* member) {
    const Entry entry = TRY(to_entry(member, *limits_));
    if (stats_.entries + stats_.skipped >= limits_->entries) {
      return fail(ErrorCode::bad_input, fmt::format("the archive has more than {} entries", limits_->entries));
    }
    if (entry.type == EntryType::character_device || entry.type == EntryType::block_device) {
      if (limits_->devices == ArchivePolicy::refuse) {
        return fail(ErrorCode::bad_input, "device nodes are not allowed here");
      }
      if (limits_->devices == ArchivePolicy::skip) {
        ++stats_.skipped;
        return {};
      }
    }
    ++stats_.entries;
    TRY(sink_->entry(entry));
    TRY(check_ratio());
    return entry.type == EntryType::regular ? read_data() : Result<void>();
  }

  Result<void> read_data() {
    for (;;) {
      const void* bytes = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int code = archive_read_data_block(handle_.get(), &bytes, &size, &offset);
      if (code == ARCHIVE_EOF) {
        return {};
      }
      if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
        return failed("its data is damaged");
      }
      if (size == 0) {
        continue;
      }
      stats_.data_bytes += size;
      if (stats_.data_bytes > limits_->data_bytes) {
        return fail(ErrorCode::bad_input,
                    fmt::format("the archive unpacks to more than {}", size_text(limits_->data_bytes)));
      }
      TRY(check_ratio());
      TRY(sink_->data(static_cast<std::uint64_t>(offset), {static_cast<const std::byte*>(bytes), size}));
    }
  }

  Result<void> check_ratio() const {
    const la_int64_t position = archive_filter_bytes(handle_.get(), 0);
    const auto unpacked = static_cast<std::uint64_t>(position < 0 ? 0 : position);
    if (unpacked > ratio_grace && unpacked / limits_->ratio > stats_.input_bytes) {
      return fail(ErrorCode::bad_input,
                  fmt::format("the archive unpacks to more than {} times its size", limits_->ratio));
    }
    return {};
  }

  Result<void> drain() {
    for (;;) {
      if (TRY(read_input()) == 0) {
        return {};
      }
    }
  }

  int fd_;
  std::uint64_t left_;  // bytes that may be read
  TreeSink* sink_;
  const ArchiveLimits* limits_;
  Progress* progress_;
  std::vector<std::byte> buffer_;
  ArchiveRead handle_;
  ArchiveStats stats_;
  std::uint64_t reported_ = 0;
  std::string last_path_;
  unsigned warnings_ = 0;
  std::optional<Error> input_error_;
};

}  // namespace

Result<ArchiveStats> read_archive(int fd, TreeSink& sink, const ArchiveLimits& limits, Progress& progress) {
  return read_archive(fd, std::numeric_limits<std::uint64_t>::max(), sink, limits, progress);
}

Result<ArchiveStats> read_archive(int fd, std::uint64_t length, TreeSink& sink, const ArchiveLimits& limits,
                                  Progress& progress) {
  return Reader(fd, length, sink, limits, progress).run();
}

}  // namespace domsmith
