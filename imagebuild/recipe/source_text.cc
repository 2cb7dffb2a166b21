#include "imagebuild/recipe/source_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace domsmith {

namespace {

constexpr std::size_t offset_step = 256;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::vector<std::size_t> offsets_of(std::string_view line) {
  std::vector<std::size_t> offsets;
  std::size_t count = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!continues(line[i]) && count++ % offset_step == 0) {
      offsets.push_back(i);
    }
  }
  return offsets;
}

}  // namespace

SourceText::SourceText(std::string_view text, unsigned file)
    : text_(text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text), file_(file) {
  starts_.push_back(0);
  for (std::size_t i = text_.find('\n'); i != std::string::npos; i = text_.find('\n', i + 1)) {
    starts_.push_back(i + 1);
  }
}

std::string_view SourceText::line(unsigned line) const {
  if (line == 0 || line > starts_.size()) {
    return {};
  }
  const std::size_t start = starts_[line - 1];
  const std::size_t end = line < starts_.size() ? starts_[line] - 1 : text_.size();
  std::string_view found = std::string_view(text_).substr(start, end - start);
  if (found.ends_with('\r')) {
    found.remove_suffix(1);
  }
  return found;
}

unsigned SourceText::byte_column(unsigned line, unsigned code_points) const {
  const std::string_view text = this->line(line);
  auto found = offsets_.find(line);
  if (found == offsets_.end()) {
    found = offsets_.emplace(line, is_ascii(text) ? std::vector<std::size_t>{} : offsets_of(text)).first;
  }
  if (found->second.empty()) {
    return code_points;
  }
  const std::size_t wanted = code_points - 1;
  const std::size_t block = std::min(wanted / offset_step, found->second.size() - 1);
  std::size_t at = found->second[block];
  std::size_t seen = block * offset_step;
  while (seen < wanted && at < text.size()) {
    ++at;
    while (at < text.size() && continues(text[at])) {
      ++at;
    }
    ++seen;
  }
  return static_cast<unsigned>(at + (wanted - seen) + 1);
}

Place SourceText::place(unsigned line, unsigned column, unsigned end_line, unsigned end_column) const {
  const unsigned begin = byte_column(line, column);
  const unsigned end =
      end_line == line ? byte_column(line, end_column) : static_cast<unsigned>(this->line(line).size()) + 1;
  return {.line = line, .column = begin, .width = end > begin ? end - begin : 1, .file = file_};
}

std::string_view SourceText::at(Place place) const {
  const std::string_view text = line(place.line);
  return place.column == 0 || place.column > text.size() ? std::string_view{}
                                                         : text.substr(place.column - 1, place.width);
}

std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) {
    return std::string(text);
  }
  std::size_t end = limit;
  while (end > 0 && continues(text[end])) {
    --end;
  }
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace domsmith
