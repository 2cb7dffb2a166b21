#include "tests/unit/archive/tar_bytes.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "base/error_text.h"
#include "base/fd.h"

namespace domsmith {
namespace {

constexpr std::size_t block = 512;

void put(std::string& header, std::size_t at, std::size_t room, std::string_view text) {
  std::memcpy(header.data() + at, text.data(), std::min(room, text.size()));
}

// Octal where it fits, else GNU's base-256.
void put_number(std::string& header, std::size_t at, std::size_t room, std::uint64_t number) {
  const std::string octal = fmt::format("{:0{}o}", number, room - 1);
  if (octal.size() < room) {
    put(header, at, room, octal);
    return;
  }
  header[at] = '\x80';
  for (std::size_t byte = 0; byte < std::min<std::size_t>(8, room - 1); ++byte) {
    header[at + room - 1 - byte] = static_cast<char>(number >> 8 * byte);
  }
}

std::string padded(std::string bytes) {
  bytes.append((block - bytes.size() % block) % block, '\0');
  return bytes;
}

std::string pax_records(const std::map<std::string, std::string>& records) {
  std::string bytes;
  for (const auto& [key, value] : records) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (std::to_string(length).size() + rest != length) {
      length = std::to_string(length).size() + rest;
    }
    bytes += fmt::format("{} {}=", length, key) + value + "\n";
  }
  return bytes;
}

}  // namespace

std::string tar_member(const TarMember& member) {
  std::string bytes;
  if (!member.pax.empty()) {
    bytes = tar_member({.name = "pax", .type = 'x', .data = pax_records(member.pax)});
  }
  std::string header(block, '\0');
  put(header, 0, 100, member.name);
  put_number(header, 100, 8, member.mode);
  put_number(header, 108, 8, member.uid);
  put_number(header, 116, 8, member.gid);
  put_number(header, 124, 12, member.size_says != ~0ULL ? member.size_says : member.data.size());
  put_number(header, 136, 12, member.mtime);
  header[156] = member.type;
  put(header, 157, 100, member.link);
  put(header, 257, 8, std::string_view("ustar\00000", 8));
  put_number(header, 329, 8, member.device_major);
  put_number(header, 337, 8, member.device_minor);
  std::memset(header.data() + 148, ' ', 8);
  unsigned sum = member.bad_checksum ? 1 : 0;
  for (const char each : header) {
    sum += static_cast<unsigned char>(each);
  }
  put(header, 148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return bytes + header + padded(member.data);
}

std::string tar_end() { return std::string(2 * block, '\0'); }

std::string tar(const std::vector<TarMember>& members) {
  std::string bytes;
  for (const TarMember& member : members) {
    bytes += tar_member(member);
  }
  return bytes + tar_end();
}

Result<void> RecordingSink::entry(const Entry& entry) {
  got.push_back({.entry = entry, .data = {}, .ranges = {}});
  return {};
}

Result<void> RecordingSink::data(std::uint64_t offset, std::span<const std::byte> bytes) {
  Got& last = got.back();
  last.data.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!last.ranges.empty() && last.ranges.back().offset + last.ranges.back().length == offset) {
    last.ranges.back().length += bytes.size();
  } else {
    last.ranges.push_back({.offset = offset, .length = bytes.size()});
  }
  return {};
}

Result<ArchiveStats> read_bytes(std::string_view bytes, TreeSink& sink, const ArchiveLimits& limits) {
  ::signal(SIGPIPE, SIG_IGN);
  int ends[2] = {};
  if (::pipe(ends) != 0) {
    throw std::runtime_error("no pipe");
  }
  Fd in(ends[0]);
  std::jthread feeder([bytes, fd = ends[1]] {
    const Fd out(fd);
    static_cast<void>(write_all(out.get(), bytes));
  });
  SilentProgress progress;
  auto stats = read_archive(in.get(), sink, limits, progress);
  in.reset();
  return stats;
}

std::string outcome(std::string_view bytes, const ArchiveLimits& limits) {
  RecordingSink sink;
  const auto stats = read_bytes(bytes, sink, limits);
  return stats ? "done" : error_text(stats.error());
}

}  // namespace domsmith
