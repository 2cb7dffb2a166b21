#include "lvm-snapshots/lvm_volume_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace domsmith {

namespace {

constexpr std::string_view section_of_volumes = "\nlogical_volumes {\n";

// The next line of `rest`, without its end.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
}

bool plain_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+_.-").contains(c);
  });
}

// The text of a line that begins with one of these, in this order; the rest of it ends as it began.
enum Field : std::size_t {
  id,
  status,
  flags,
  tags,
  time,
  host,
  count,
  segment,
  start,
  extents,
  type,
  pool,
  transaction,
  device,
  origin,
  closed
};
constexpr std::array<std::string_view, 16> beginnings = {
    "id = \"",           "status = [",         "flags = [",        "tags = [",
    "creation_time = ",  "creation_host = \"", "segment_count = ", "segment1 {",
    "start_extent = ",   "extent_count = ",    "type = \"",        "thin_pool = \"",
    "transaction_id = ", "device_id = ",       "origin = \"",      "}"};
constexpr std::array required = {id, status, count, segment, start, extents, type, pool, transaction, device, closed};

// "a", "b"
bool is_list(std::string_view items) {
  bool more = false;
  while (!items.empty() || more) {
    const std::size_t end = items.starts_with('"') ? items.find('"', 1) : items.npos;
    if (end == items.npos) {
      return false;
    }
    items.remove_prefix(end + 1);
    more = items.starts_with(", ");
    if (!more && !items.empty()) {
      return false;
    }
    items.remove_prefix(more ? 2 : 0);
  }
  return true;
}

bool take(const char*& at, const char* end, std::string_view wanted) {
  const bool there = std::string_view(at, end).starts_with(wanted);
  at += there ? wanted.size() : 0;
  return there;
}

// What is between the quotes or brackets, or the digits: up to the end of the line and nothing behind it. False: it is
// not that alone. There are a hundred thousand lines to look through, so each byte is looked at once.
bool take_value(const char*& at, const char* end, char opened, std::string_view& value) {
  const char* begin = at;
  const auto is_of_it = [opened](char c) {
    return opened == ' '   ? c >= '0' && c <= '9'
           : opened == '"' ? c != '"' && c != '\\' && c != '\n'
                           : c != '[' && c != ']' && c != '\\' && c != '\n';
  };
  while (at < end && is_of_it(*at)) {
    ++at;
  }
  value = std::string_view(begin, at);
  if (opened == '[' && !is_list(value)) {
    return false;
  }
  if (opened == ' ') {
    return !value.empty() && take(at, end, "\n");
  }
  return take(at, end, opened == '"' ? "\"\n" : "]\n");
}

std::optional<LvmThinVolume> thin_volume(std::string_view body) {
  std::array<std::string_view, beginnings.size()> values;  // one that is not there has no data
  const char* at = body.data();
  const char* const end = at + body.size();
  for (std::size_t next = 0; at < end; ++next) {
    while (next < beginnings.size() && !take(at, end, beginnings[next])) {
      ++next;
    }
    if (next == beginnings.size()) {
      return std::nullopt;
    }
    const std::string_view beginning = beginnings[next];
    if (next == segment || next == closed) {
      if (!take(at, end, "\n")) {
        return std::nullopt;
      }
      values[next] = beginning;
    } else if (!take_value(at, end, beginning.back(), values[next])) {
      return std::nullopt;
    }
  }
  if (!std::ranges::all_of(required, [&](Field field) { return values[field].data() != nullptr; }) ||
      values[count] != "1" || values[type] != "thin") {
    return std::nullopt;
  }
  const auto length = number_of(values[extents]);
  const auto number = number_of(values[device]);
  if (!length || !number) {
    return std::nullopt;
  }
  return LvmThinVolume{.id = values[id],
                       .tags = values[tags],
                       .pool = values[pool],
                       .origin = values[origin],
                       .extents = *length,
                       .device = *number,
                       .visible = values[status].contains("\"VISIBLE\"")};
}

// The lines of a section up to the one that closes it, empty ones left out; nullopt: it is not closed.
std::optional<std::string> take_section(std::string_view& rest) {
  const std::string_view whole = rest;
  bool gaps = false;
  for (int depth = 1; !rest.empty();) {
    const std::size_t at = whole.size() - rest.size();
    const std::string_view line = next_line(rest);
    gaps = gaps || line.empty();
    depth += line.ends_with('{') ? 1 : 0;
    if (line != "}" || --depth > 0) {
      continue;
    }
    std::string body(whole.substr(0, at));
    for (std::size_t gap = gaps ? body.find("\n\n") : body.npos; gap != body.npos; gap = body.find("\n\n", gap)) {
      body.erase(gap, 1);
    }
    if (body.starts_with('\n')) {
      body.erase(0, 1);
    }
    return body;
  }
  return std::nullopt;
}

std::ptrdiff_t sections_of_volumes(const LvmConfigNode& group) {
  return std::ranges::count(group.children, "logical_volumes", &LvmConfigNode::key);
}

// However deep.
std::ptrdiff_t all_sections_of_volumes(const LvmConfigNode& node) {
  std::ptrdiff_t all = sections_of_volumes(node);
  for (const LvmConfigNode& child : node.children) {
    all += all_sections_of_volumes(child);
  }
  return all;
}

// nullopt: it is not as LVM writes it to disks, an item a line. A volume that was cut out at the wrong brace is no text
// that the parser takes, for what stands before that brace is not closed or closes too much.
std::optional<LvmTakenApart> take_apart_lines(std::string_view text, const std::string& group) {
  const std::size_t at = text.find(section_of_volumes);
  if (at == std::string_view::npos || !text.starts_with(fmt::format("{} {{\n", group))) {
    return std::nullopt;
  }
  LvmTakenApart parts;
  std::string_view rest = text.substr(at + section_of_volumes.size());
  for (;;) {
    if (rest.empty()) {
      return std::nullopt;
    }
    const std::string_view line = next_line(rest);
    if (line == "}") {
      break;
    }
    if (line.empty()) {
      continue;
    }
    const std::string_view name = line.substr(0, line.find(' '));
    auto body = plain_name(name) && line.substr(name.size()) == " {" ? take_section(rest) : std::nullopt;
    auto volume = body ? LvmVolumeText::of(std::string(name), std::move(*body))
                       : Result<LvmVolumeText>(fail(ErrorCode::bad_input, "another form"));
    if (!volume) {
      return std::nullopt;
    }
    parts.volumes.push_back(std::move(*volume));
  }
  auto frame = parse_lvm_config(fmt::format("{}}}\n{}", text.substr(0, at + section_of_volumes.size()), rest),
                                "metadata of VG " + group);
  const LvmConfigNode* found = frame ? frame->find(group) : nullptr;
  if (found == nullptr || sections_of_volumes(*found) != 1 ||
      all_sections_of_volumes(*frame) != 1) {  // what was cut out may be another's
    return std::nullopt;
  }
  parts.frame = std::move(*frame);
  return parts;
}

}  // namespace

Result<LvmVolumeText> LvmVolumeText::of(std::string name, std::string body) {
  LvmVolumeText volume;
  volume.name = std::move(name);
  volume.body_ = std::make_shared<const std::string>(std::move(body));
  volume.thin_ = thin_volume(*volume.body_);
  if (!volume.thin_) {
    LvmConfigNode node = TRY(parse_lvm_config(*volume.body_, volume.name));
    node.key = volume.name;
    volume.node_ = std::make_shared<const LvmConfigNode>(std::move(node));
  }
  return volume;
}

LvmVolumeText::LvmVolumeText(LvmConfigNode node) : name(node.key) {
  body_ = std::make_shared<const std::string>(lvm_config_text(node));
  thin_ = thin_volume(*body_);
  node_ = std::make_shared<const LvmConfigNode>(std::move(node));
}

const LvmConfigNode& LvmVolumeText::node() const {
  if (!node_) {
    auto node = parse_lvm_config(*body_, name);  // thin_volume() has understood it
    node->key = name;
    node_ = std::make_shared<const LvmConfigNode>(std::move(*node));
  }
  return *node_;
}

void LvmVolumeText::write(std::string& to) const { to.append(name).append(" {\n").append(*body_).append("}\n"); }

Result<LvmTakenApart> take_apart(std::string_view text, const std::string& group) {
  if (auto parts = take_apart_lines(text, group)) {
    return std::move(*parts);
  }
  LvmTakenApart parts;
  parts.frame = TRY(parse_lvm_config(text, "metadata of VG " + group));
  LvmConfigNode* found = parts.frame.find(group);
  if (found == nullptr || sections_of_volumes(*found) > 1) {
    return fail(ErrorCode::bad_input, fmt::format("there is no VG {} in its metadata", group));
  }
  if (LvmConfigNode* section = found->find("logical_volumes")) {
    for (LvmConfigNode& volume : section->children) {
      if (volume.kind != LvmConfigNode::Kind::section || !plain_name(volume.key)) {
        return fail(ErrorCode::bad_input, fmt::format("'{}' is no volume's name", volume.key));
      }
      parts.volumes.emplace_back(std::move(volume));
    }
    section->children.clear();
  }
  return parts;
}

std::string put_together(const LvmTakenApart& parts, const std::string& group) {
  static constexpr std::size_t usual = 512;  // bytes a volume
  std::string text;
  text.reserve((parts.volumes.size() + 8) * usual);
  const auto write = [&](const LvmConfigNode& item) {
    LvmConfigNode alone;
    alone.children.push_back(item);
    text += lvm_config_text(alone);
  };
  for (const LvmConfigNode& top : parts.frame.children) {
    if (top.key != group || top.kind != LvmConfigNode::Kind::section) {
      write(top);
      continue;
    }
    text += group + " {\n";
    for (const LvmConfigNode& item : top.children) {
      if (item.key != "logical_volumes") {
        write(item);
        continue;
      }
      text += "logical_volumes {\n";
      for (const LvmVolumeText& volume : parts.volumes) {
        volume.write(text);
      }
      text += "}\n";
    }
    text += "}\n";
  }
  return text;
}

}  // namespace domsmith
