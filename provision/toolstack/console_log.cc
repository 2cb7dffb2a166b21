#include "provision/toolstack/console_log.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/fd.h"
#include "base/text.h"

namespace domsmith {
namespace {

constexpr std::uint64_t tail_bytes = 8192;

// A guest writes what it likes: no control character of it reaches the user's terminal.
std::string plain(std::string_view line) {
  std::string text;
  for (const char c : line) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) {
      text += c;
    }
  }
  return text;
}

std::uint64_t size_of(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  return error ? 0 : size;
}

}  // namespace

ConsoleLog::ConsoleLog(std::string_view name, const std::filesystem::path& directory)
    : file_(directory / fmt::format("guest-{}.log", name)), start_(size_of(file_)) {}

std::vector<std::string> ConsoleLog::last_lines(std::size_t count) const {
  const auto size = size_of(file_);
  const auto begin = std::max(size < start_ ? 0 : start_, size < tail_bytes ? 0 : size - tail_bytes);
  const auto fd = open_fd(file_.string(), O_RDONLY);
  if (!fd) {
    return {};
  }
  std::string bytes(size - std::min(begin, size), '\0');
  const auto got = pread_some(fd->get(), begin, std::as_writable_bytes(std::span(bytes)));
  if (!got) {
    return {};
  }
  bytes.resize(*got);
  std::vector<std::string> lines;
  for (const auto& line : split_lines(bytes)) {
    if (auto text = plain(line); !trimmed(text).empty()) {
      lines.push_back(std::move(text));
    }
  }
  lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(std::min(count, lines.size())));
  return lines;
}

}  // namespace domsmith
