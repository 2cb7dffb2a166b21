#include "imagebuild/tree/wire.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <type_traits>

#include "base/fd.h"
#include "base/interrupt.h"

namespace domsmith {
namespace {

constexpr std::size_t buffer_bytes = 256U << 10;
constexpr std::uint32_t longest_message = 16U << 20;
constexpr int pipe_bytes = 1 << 20;

class Encoder {
 public:
  template <class T>
  void number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto* from = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), from, from + sizeof value);
  }
  void text(const std::string& value) {
    number(static_cast<std::uint32_t>(value.size()));
    const auto* from = reinterpret_cast<const std::byte*>(value.data());
    bytes.insert(bytes.end(), from, from + value.size());
  }
  std::vector<std::byte> bytes = {};
};

class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    T value{};
    if (rest_.size() < sizeof value) {
      good_ = false;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }
  std::string text() {
    const auto size = number<std::uint32_t>();
    if (rest_.size() < size) {
      good_ = false;
      return {};
    }
    std::string value(reinterpret_cast<const char*>(rest_.data()), size);
    rest_ = rest_.subspan(size);
    return value;
  }
  [[nodiscard]] std::span<const std::byte> rest() const { return rest_; }
  [[nodiscard]] bool good() const { return good_; }

 private:
  std::span<const std::byte> rest_;
  bool good_ = true;
};

std::optional<Entry> decode_entry(std::span<const std::byte> bytes) {
  Decoder in(bytes);
  Entry entry;
  entry.path = in.text();
  const auto type = in.number<std::uint8_t>();
  entry.type = static_cast<EntryType>(type);
  entry.mode = in.number<std::uint32_t>() & 07777;
  entry.uid = in.number<std::uint32_t>();
  entry.gid = in.number<std::uint32_t>();
  entry.mtime.seconds = in.number<std::int64_t>();
  entry.mtime.nanoseconds = in.number<std::uint32_t>();
  entry.size = in.number<std::uint64_t>();
  entry.target = in.text();
  entry.device_major = in.number<std::uint32_t>();
  entry.device_minor = in.number<std::uint32_t>();
  for (auto count = in.number<std::uint32_t>(); count > 0 && in.good(); --count) {
    std::string name = in.text();
    entry.xattrs[std::move(name)] = in.text();
  }
  if (!in.good() || !in.rest().empty() || type > static_cast<std::uint8_t>(EntryType::socket)) {
    return std::nullopt;
  }
  return entry;
}

struct MessageHead {
  char kind = 0;
  std::uint32_t length = 0;
};
constexpr std::size_t head_bytes = 5;

// Reads a descriptor piece by piece.
class WireReader {
 public:
  explicit WireReader(int fd) : fd_(fd), buffer_(buffer_bytes) {}

  // `bytes` of them, in a place that the next call reuses.
  Result<std::span<const std::byte>> take(std::size_t bytes) {
    if (bytes > buffer_.size()) {
      std::vector<std::byte> larger(bytes);
      std::memcpy(larger.data(), buffer_.data() + start_, end_ - start_);
      buffer_.swap(larger);
      end_ -= start_;
      start_ = 0;
    }
    if (buffer_.size() - start_ < bytes) {
      std::memmove(buffer_.data(), buffer_.data() + start_, end_ - start_);
      end_ -= start_;
      start_ = 0;
    }
    while (end_ - start_ < bytes) {
      TRY(check_interrupted());
      const ssize_t got = ::read(fd_, buffer_.data() + end_, buffer_.size() - end_);
      if (got < 0 && errno != EINTR) {
        return fail_errno("cannot read the tree", errno);
      }
      if (got == 0) {
        return fail(ErrorCode::bad_input, "the tree ended early");
      }
      end_ += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    const auto piece = std::span<const std::byte>(buffer_).subspan(start_, bytes);
    start_ += bytes;
    return piece;
  }

 private:
  int fd_;
  std::vector<std::byte> buffer_;
  std::size_t start_ = 0, end_ = 0;
};

Result<void> give(const MessageHead& head, std::span<const std::byte> payload, TreeSink& sink) {
  if (head.kind == 'E') {
    const auto entry = decode_entry(payload);
    if (!entry) {
      return fail(ErrorCode::bad_input, "the tree holds an entry that cannot be read");
    }
    return sink.entry(*entry);
  }
  Decoder in(payload);
  const auto offset = in.number<std::uint64_t>();
  if (head.kind != 'D' || !in.good()) {
    return fail(ErrorCode::bad_input, "the tree holds a message that cannot be read");
  }
  return sink.data(offset, in.rest());
}

}  // namespace

Result<void> WireWriter::flush() {
  TRY(write_all(fd_, std::span<const std::byte>(buffer_)));
  buffer_.clear();
  return {};
}

Result<void> WireWriter::put(char kind, std::span<const std::byte> head, std::span<const std::byte> bytes) {
  Encoder out;
  out.number(kind);
  out.number(static_cast<std::uint32_t>(head.size() + bytes.size()));
  buffer_.insert(buffer_.end(), out.bytes.begin(), out.bytes.end());
  buffer_.insert(buffer_.end(), head.begin(), head.end());
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return buffer_.size() >= buffer_bytes ? flush() : Result<void>();
}

Result<void> WireWriter::entry(const Entry& entry) {
  Encoder out;
  out.text(entry.path);
  out.number(static_cast<std::uint8_t>(entry.type));
  out.number(entry.mode);
  out.number(entry.uid);
  out.number(entry.gid);
  out.number(entry.mtime.seconds);
  out.number(entry.mtime.nanoseconds);
  out.number(entry.size);
  out.text(entry.target);
  out.number(entry.device_major);
  out.number(entry.device_minor);
  out.number(static_cast<std::uint32_t>(entry.xattrs.size()));
  for (const auto& [name, value] : entry.xattrs) {
    out.text(name);
    out.text(value);
  }
  return put('E', out.bytes, {});
}

Result<void> WireWriter::data(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min<std::size_t>(bytes.size(), longest_message / 2));
    Encoder out;
    out.number(offset);
    TRY(put('D', out.bytes, piece));
    offset += piece.size();
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

Result<void> WireWriter::finish() {
  TRY(put('F', {}, {}));
  return flush();
}

Result<void> read_wire(int fd, TreeSink& sink) {
  ::fcntl(fd, F_SETPIPE_SZ, pipe_bytes);  // no pipe, or not allowed: as it is
  WireReader reader(fd);
  for (;;) {
    const auto bytes = TRY(reader.take(head_bytes));
    MessageHead head;
    head.kind = static_cast<char>(bytes[0]);
    std::memcpy(&head.length, bytes.data() + 1, sizeof head.length);
    if (head.length > longest_message) {
      return fail(ErrorCode::bad_input, "the tree holds a message that is too long");
    }
    if (head.kind == 'F' && head.length == 0) {
      return {};
    }
    TRY(give(head, TRY(reader.take(head.length)), sink));
  }
}

}  // namespace domsmith
