#include "provision/registry/config_memory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "base/crc32.h"
#include "base/fd.h"
#include "base/file.h"

namespace domsmith {

namespace {

// The file: this line, records, the CRC-32 of all that. A record: its length without these four bytes; device, inode,
// size, mtime and ctime, eight bytes each; the key, then 'n' and a name or 'm' and a MAC any number of times, each of
// these texts with a zero at its end. Numbers are this host's. What a scan finds in a file has changed: another number
// in the line.
constexpr std::string_view first_line = "domsmith configs 1\n";
constexpr std::size_t number_length = sizeof(std::uint32_t);
constexpr std::uint64_t longest_file = 256ULL << 20;
constexpr std::size_t few = 16;  // times the changes

constexpr std::int64_t second = 1'000'000'000;    // ns
constexpr std::int64_t tick = 50'000'000;         // of the kernel's clock for files, 10 ms at most
constexpr std::int64_t coarse_tick = 3 * second;  // of a file system that keeps seconds

template <class Number>
void put(std::string& to, Number value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void put_text(std::string& to, std::string_view text) { to.append(text).push_back('\0'); }

// Empty where the next text has no end.
std::string_view take_text(std::string_view& from) {
  const std::size_t end = from.find('\0');
  const std::string_view text = from.substr(0, end == std::string_view::npos ? 0 : end);
  from.remove_prefix(end == std::string_view::npos ? from.size() : end + 1);
  return text;
}

std::optional<std::uint32_t> take_number(std::string_view& from) {
  std::uint32_t value = 0;
  if (from.size() < number_length) {
    return std::nullopt;
  }
  std::memcpy(&value, from.data(), number_length);
  from.remove_prefix(number_length);
  return value;
}

// Of this user, whom alone it let write to it, with its checksum; nullopt otherwise.
std::optional<std::string> trusted_bytes(const std::filesystem::path& file) {
  const auto fd = open_fd(file.string(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat info{};
  if (!fd || ::fstat(fd->get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != ::geteuid() ||
      (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 || static_cast<std::uint64_t>(info.st_size) > longest_file) {
    return std::nullopt;
  }
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  const auto got = read_some(fd->get(), std::as_writable_bytes(std::span(bytes)));
  if (!got || *got != bytes.size() || bytes.size() < first_line.size() + number_length ||
      !bytes.starts_with(first_line)) {
    return std::nullopt;
  }
  const std::string_view covered = std::string_view(bytes).substr(0, bytes.size() - number_length);
  std::string_view end = std::string_view(bytes).substr(covered.size());
  if (take_number(end) != crc32_of(covered)) {
    return std::nullopt;
  }
  bytes.resize(covered.size());
  return bytes;
}

bool holds_zero(std::string_view text) { return text.find('\0') != std::string_view::npos; }

bool rested(const ConfigStamp& stamp, std::int64_t now) {
  return stamp.changed + (stamp.changed % second == 0 ? coarse_tick : tick) < now;
}

}  // namespace

ConfigStamp ConfigStamp::of(const struct stat& info) {
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = static_cast<std::uint64_t>(info.st_size),
          .modified = info.st_mtim.tv_sec * second + info.st_mtim.tv_nsec,
          .changed = info.st_ctim.tv_sec * second + info.st_ctim.tv_nsec};
}

ConfigMemory ConfigMemory::load(const std::filesystem::path& file) {
  ConfigMemory memory(file);
  auto bytes = trusted_bytes(file);
  if (!bytes) {
    return memory;
  }
  memory.loaded_ = std::make_unique<const std::string>(std::move(*bytes));
  std::string_view rest = std::string_view(*memory.loaded_).substr(first_line.size());
  while (!rest.empty()) {
    const std::string_view whole = rest;
    const auto length = take_number(rest);
    if (!length || *length < sizeof(ConfigStamp) || *length > rest.size()) {
      memory.records_.clear();
      return memory;
    }
    std::string_view texts = rest.substr(sizeof(ConfigStamp), *length - sizeof(ConfigStamp));
    memory.records_.emplace(take_text(texts), whole.substr(0, number_length + *length));
    rest.remove_prefix(*length);
  }
  return memory;
}

bool ConfigMemory::recall(std::string_view key, const ConfigStamp& stamp, Holdings& into) {
  const auto found = records_.find(key);
  if (found == records_.end()) {
    return false;
  }
  const std::string_view record = found->second;
  records_.erase(found);
  std::string_view texts = record.substr(number_length);
  if (std::memcmp(texts.data(), &stamp, sizeof(stamp)) != 0) {
    return false;
  }
  texts.remove_prefix(sizeof(stamp));
  take_text(texts);
  while (!texts.empty()) {
    const std::string_view text = take_text(texts);
    if (!text.empty()) {
      (text.front() == 'n' ? into.names : into.macs).emplace_back(text.substr(1));
    }
  }
  next_ += record;
  ++recalled_;
  return true;
}

void ConfigMemory::keep(std::string_view key, const ConfigStamp& stamp, const Holdings& holdings, std::int64_t now) {
  if (!rested(stamp, now) || holds_zero(key) || std::ranges::any_of(holdings.names, holds_zero)) {
    return;
  }
  const std::size_t begin = next_.size();
  put(next_, std::uint32_t{0});
  put(next_, stamp);
  put_text(next_, key);
  for (const std::string& name : holdings.names) {
    put_text(next_, "n" + name);
  }
  for (const std::string& mac : holdings.macs) {
    put_text(next_, "m" + mac);
  }
  const auto length = static_cast<std::uint32_t>(next_.size() - begin - number_length);
  std::memcpy(next_.data() + begin, &length, number_length);
  ++fresh_;
}

void ConfigMemory::keep_rest() {
  for (const auto& [key, record] : records_) {
    next_ += record;
  }
  recalled_ += records_.size();
  records_.clear();
}

void ConfigMemory::save() const {
  const std::size_t changes = fresh_ + records_.size();
  if (file_.empty() || changes == 0 || (changes < worth_a_file && changes * few < recalled_ + fresh_)) {
    return;
  }
  std::string bytes(first_line);
  bytes.reserve(bytes.size() + next_.size() + number_length);
  bytes += next_;
  put(bytes, crc32_of(bytes));
  (void)write_file_unflushed(file_, bytes, 0600);
}

}  // namespace domsmith
