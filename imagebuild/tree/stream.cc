#include "imagebuild/tree/stream.h"

#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/fd.h"
#include "base/interrupt.h"
#include "imagebuild/tree/watched_sink.h"

namespace domsmith {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in memory");

constexpr std::string_view magic = "domsmith-tree 1\n";
constexpr std::size_t hold = 256U << 10;
constexpr std::uint32_t longest_path = 4095;
constexpr std::uint32_t longest_name = 255;        // of an attribute
constexpr std::uint32_t longest_value = 1U << 20;  // of an attribute
constexpr std::uint32_t most_attributes = 4096;
constexpr std::uint32_t longest_piece = 16U << 20;
constexpr std::uint64_t largest_file = 16ULL << 40;
constexpr std::uint64_t progress_step = 4U << 20;

template <class T>
void put(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_bytes(std::string& out, std::string_view bytes) {
  put(out, static_cast<std::uint32_t>(bytes.size()));
  out += bytes;
}

bool normalised(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) {
      return false;
    }
    if (slash == std::string_view::npos) {
      return true;
    }
    path.remove_prefix(slash + 1);
    if (path.empty()) {
      return false;
    }
  }
  return true;
}

class StreamReader {
 public:
  StreamReader(int fd, TreeSink& sink, Progress& progress, std::string_view stage)
      : fd_(fd), sink_(&sink), progress_(&progress), stage_(stage), buffer_(hold) {}

  Result<StreamStats> run() {
    std::string start(magic.size(), '\0');
    TRY(take(std::as_writable_bytes(std::span(start))));
    if (start != magic) {
      return bad("it does not begin as one");
    }
    for (;;) {
      switch (TRY(number<char>())) {
        case 'E':
          TRY(read_entry());
          break;
        case 'D':
          TRY(read_data());
          break;
        case 'Z':
          return stats_;
        default:
          return bad("a node of no kind");
      }
    }
  }

 private:
  static std::unexpected<Error> bad(std::string_view why) {
    return fail(ErrorCode::bad_input, fmt::format("a stream of a tree is damaged: {}", why));
  }

  Result<void> take(std::span<std::byte> into) {
    while (!into.empty()) {
      if (at_ == filled_) {
        TRY(check_interrupted());
        at_ = 0;
        filled_ = TRY(read_some_once());
        if (filled_ == 0) {
          return bad("it ends early");
        }
      }
      const std::size_t count = std::min(into.size(), filled_ - at_);
      std::memcpy(into.data(), buffer_.data() + at_, count);
      at_ += count;
      into = into.subspan(count);
    }
    return {};
  }

  // One read(2): what the pipe holds is worked on while its writer goes on.
  Result<std::size_t> read_some_once() {
    for (;;) {
      const ssize_t got = ::read(fd_, buffer_.data(), buffer_.size());
      if (got >= 0) {
        return static_cast<std::size_t>(got);
      }
      if (errno != EINTR) {
        return fail_errno("cannot read a stream of a tree", errno);
      }
      TRY(check_interrupted());
    }
  }

  template <class T>
  Result<T> number() {
    T value{};
    TRY(take(std::as_writable_bytes(std::span(&value, 1))));
    return value;
  }

  Result<std::string> bytes(std::uint32_t limit) {
    const auto length = TRY(number<std::uint32_t>());
    if (length > limit) {
      return bad("a length beyond its limit");
    }
    std::string out(length, '\0');
    TRY(take(std::as_writable_bytes(std::span(out))));
    return out;
  }

  Result<std::string> path() {
    std::string out = TRY(bytes(longest_path));
    return normalised(out) ? Result<std::string>(std::move(out)) : bad("a path that is not normalised");
  }

  Result<void> read_entry() {
    Entry entry;
    const auto type = TRY(number<std::uint8_t>());
    if (type > static_cast<std::uint8_t>(EntryType::socket)) {
      return bad("an entry of no type");
    }
    entry.type = static_cast<EntryType>(type);
    entry.mode = TRY(number<std::uint32_t>());
    entry.uid = TRY(number<std::uint32_t>());
    entry.gid = TRY(number<std::uint32_t>());
    entry.mtime.seconds = TRY(number<std::int64_t>());
    entry.mtime.nanoseconds = TRY(number<std::uint32_t>());
    entry.size = TRY(number<std::uint64_t>());
    entry.device_major = TRY(number<std::uint32_t>());
    entry.device_minor = TRY(number<std::uint32_t>());
    entry.path = TRY(path());
    entry.target = entry.type == EntryType::hard_link ? TRY(path()) : TRY(bytes(longest_path));
    if (entry.mode > 07777 || entry.mtime.nanoseconds > 999'999'999 || entry.size > largest_file) {
      return bad("a number out of range");
    }
    if (entry.target.find('\0') != std::string::npos || (entry.type == EntryType::symlink && entry.target.empty())) {
      return bad("a link to nothing");
    }
    TRY(read_attributes(entry));
    room_ = entry.type == EntryType::regular ? entry.size : 0;
    next_ = 0;
    ++stats_.entries;
    return sink_->entry(entry);
  }

  Result<void> read_attributes(Entry& entry) {
    const auto count = TRY(number<std::uint32_t>());
    if (count > most_attributes) {
      return bad("too many attributes");
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      std::string name = TRY(bytes(longest_name));
      entry.xattrs.insert_or_assign(std::move(name), TRY(bytes(longest_value)));
    }
    return {};
  }

  Result<void> read_data() {
    const auto offset = TRY(number<std::uint64_t>());
    const auto length = TRY(number<std::uint32_t>());
    if (length > longest_piece || offset < next_ || offset > room_ || length > room_ - offset) {
      return bad("data outside of its file");
    }
    next_ = offset + length;
    piece_.resize(length);
    TRY(take(piece_));
    stats_.data_bytes += length;
    if (stats_.data_bytes - reported_ >= progress_step) {
      reported_ = stats_.data_bytes;
      progress_->advance(stage_, reported_, 0, "bytes");
    }
    return sink_->data(offset, piece_);
  }

  int fd_;
  TreeSink* sink_;
  Progress* progress_;
  std::string stage_;
  std::vector<std::byte> buffer_;
  std::vector<std::byte> piece_;
  std::size_t at_ = 0, filled_ = 0;
  std::uint64_t room_ = 0, next_ = 0;  // of the file whose data comes
  StreamStats stats_;
  std::uint64_t reported_ = 0;
};

}  // namespace

Result<StreamStats> receive_tree(Worker& worker, TreeSink& sink, Progress& progress, std::string_view stage) {
  WatchedSink watched(sink);
  auto read = read_stream(worker.out(), watched, progress, stage);
  if (!read && (watched.failed() || read.error().code == ErrorCode::interrupted)) {
    worker.kill();
    return read;
  }
  TRY(worker.finish());
  return read;
}

StreamSink::StreamSink(int fd) : fd_(fd), held_(magic) {}

Result<void> StreamSink::flush() {
  TRY(write_all(fd_, held_));
  held_.clear();
  return {};
}

Result<void> StreamSink::entry(const Entry& entry) {
  held_ += 'E';
  put(held_, static_cast<std::uint8_t>(entry.type));
  put(held_, entry.mode);
  put(held_, entry.uid);
  put(held_, entry.gid);
  put(held_, entry.mtime.seconds);
  put(held_, entry.mtime.nanoseconds);
  put(held_, entry.size);
  put(held_, entry.device_major);
  put(held_, entry.device_minor);
  put_bytes(held_, entry.path);
  put_bytes(held_, entry.target);
  put(held_, static_cast<std::uint32_t>(entry.xattrs.size()));
  for (const auto& [name, value] : entry.xattrs) {
    put_bytes(held_, name);
    put_bytes(held_, value);
  }
  return held_.size() >= hold ? flush() : Result<void>();
}

Result<void> StreamSink::data(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t count = std::min<std::size_t>(bytes.size(), longest_piece);
    held_ += 'D';
    put(held_, offset);
    put(held_, static_cast<std::uint32_t>(count));
    if (held_.size() + count < hold) {
      held_.append(reinterpret_cast<const char*>(bytes.data()), count);
    } else {
      TRY(flush());
      TRY(write_all(fd_, bytes.first(count)));
    }
    offset += count;
    bytes = bytes.subspan(count);
  }
  return {};
}

Result<void> StreamSink::finish() {
  held_ += 'Z';
  return flush();
}

Result<StreamStats> read_stream(int fd, TreeSink& sink, Progress& progress, std::string_view stage) {
  return StreamReader(fd, sink, progress, stage).run();
}

}  // namespace domsmith
