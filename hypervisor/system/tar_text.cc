#include "hypervisor/system/tar_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace domsmith {
namespace {

constexpr std::size_t block = 512;

// POSIX.1-1988 ustar, pax(1): offsets in the header.
struct Header {
  std::string bytes = std::string(block, '\0');
  void text(std::size_t offset, std::size_t size, std::string_view value) {
    bytes.replace(offset, std::min(size, value.size()), value.substr(0, size));
  }
  void octal(std::size_t offset, std::size_t size, std::uint64_t value) {
    text(offset, size, fmt::format("{:0{}o}", value, size - 1));
  }
  std::string finished() {
    text(257, 8, std::string_view("ustar\00000", 8));
    text(148, 8, "        ");
    unsigned sum = 0;
    for (const char c : bytes) {
      sum += static_cast<unsigned char>(c);
    }
    text(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    return bytes;
  }
};

std::string padded(std::string_view bytes) {
  std::string text(bytes);
  text.resize((bytes.size() + block - 1) / block * block, '\0');
  return text;
}

std::string member(std::string_view name, const SlotFile& file, char type, std::uint64_t size) {
  Header header;
  header.text(0, 100, name);
  header.octal(100, 8, file.mode);
  header.octal(108, 8, file.uid);
  header.octal(116, 8, file.gid);
  header.octal(124, 12, size);
  header.octal(136, 12, 0);
  header.text(156, 1, std::string(1, type));
  header.text(157, 100, file.target);
  return header.finished();
}

// A name that does not fit stands in a member of its own before the one it belongs to.
std::string long_text(char type, const std::string& text) {
  return member("././@LongLink", {.content = {}, .target = {}}, type, text.size() + 1) + padded(text + '\0');
}

char type_flag(EntryType type) { return type == EntryType::directory ? '5' : type == EntryType::symlink ? '2' : '0'; }

}  // namespace

std::string tar_of(const SlotTree& tree) {
  constexpr std::size_t longest = 99;
  std::string tar;
  for (const auto& [path, file] : tree) {
    const std::string name = path.substr(1) + (file.type == EntryType::directory ? "/" : "");
    if (name.size() > longest) {
      tar += long_text('L', name);
    }
    if (file.target.size() > longest) {
      tar += long_text('K', file.target);
    }
    tar += member(name, file, type_flag(file.type), file.content.size());
    tar += padded(file.content);
  }
  return tar.append(2 * block, '\0');
}

}  // namespace domsmith
