#include "lvm-snapshots/lvm_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace domsmith {

using Kind = LvmConfigNode::Kind;

LvmConfigNode LvmConfigNode::text(std::string key, std::string value) {
  return {std::move(key), Kind::value, {{std::move(value), true}}, {}};
}

LvmConfigNode LvmConfigNode::number(std::string key, std::uint64_t value) {
  return {std::move(key), Kind::value, {{std::to_string(value), false}}, {}};
}

LvmConfigNode LvmConfigNode::texts(std::string key, const std::vector<std::string>& values) {
  LvmConfigNode node{std::move(key), Kind::list, {}, {}};
  for (const std::string& value : values) {
    node.values.push_back({value, true});
  }
  return node;
}

const LvmConfigNode* LvmConfigNode::find(std::string_view wanted) const {
  const auto it = std::ranges::find(children, wanted, &LvmConfigNode::key);
  return it == children.end() ? nullptr : &*it;
}

LvmConfigNode* LvmConfigNode::find(std::string_view wanted) {
  const auto it = std::ranges::find(children, wanted, &LvmConfigNode::key);
  return it == children.end() ? nullptr : &*it;
}

std::optional<std::string> LvmConfigNode::text_of(std::string_view wanted) const {
  const LvmConfigNode* child = find(wanted);
  if (child == nullptr || child->kind != Kind::value || !child->values.front().quoted) {
    return std::nullopt;
  }
  return child->values.front().text;
}

std::optional<std::uint64_t> LvmConfigNode::number_of(std::string_view wanted) const {
  const LvmConfigNode* child = find(wanted);
  if (child == nullptr || child->kind != Kind::value || child->values.front().quoted) {
    return std::nullopt;
  }
  const std::string& digits = child->values.front().text;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
}

bool LvmConfigNode::lists(std::string_view wanted, std::string_view word) const {
  const LvmConfigNode* child = find(wanted);
  return child != nullptr && child->kind != Kind::section &&
         std::ranges::any_of(child->values, [&](const LvmConfigValue& value) { return value.text == word; });
}

namespace {

// The bytes of a word as a table: a group of 5,000 volumes is two million bytes.
class Bytes {
 public:
  constexpr explicit Bytes(std::string_view all) {
    for (const char c : all) {
      holds_[static_cast<unsigned char>(c)] = true;
    }
  }
  [[nodiscard]] constexpr bool contains(char c) const { return holds_[static_cast<unsigned char>(c)]; }

 private:
  std::array<bool, 256> holds_{};
};

constexpr Bytes white_space(" \t\r\n");
constexpr Bytes ends_word(" \t\r\n#={}[],\"'");

class Reader {
 public:
  Reader(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  Result<LvmConfigNode> file() {
    LvmConfigNode root;
    skip();
    while (at_ < text_.size()) {
      root.children.push_back(TRY(item(0)));
      skip();
    }
    return root;
  }

 private:
  static constexpr int deepest = 16;  // a volume group's text has five levels

  [[nodiscard]] std::unexpected<Error> wrong(std::string_view what) const {
    const auto line = 1 + std::ranges::count(text_.substr(0, at_), '\n');
    return fail(ErrorCode::bad_input, fmt::format("{}:{}: {}", name_, line, what));
  }

  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (white_space.contains(text_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }

  bool take(char wanted) {
    skip();
    if (at_ >= text_.size() || text_[at_] != wanted) {
      return false;
    }
    ++at_;
    return true;
  }

  Result<std::string> word() {
    std::size_t end = at_;
    while (end < text_.size() && !ends_word.contains(text_[end])) {
      ++end;
    }
    if (end == at_) {
      return at_ == text_.size() ? wrong("the text ends in the middle")
                                 : wrong(fmt::format("'{}' does not belong here", text_[at_]));
    }
    std::string found(text_.substr(at_, end - at_));
    at_ = end;
    return found;
  }

  Result<std::string> quoted() {
    const char quote = text_[at_++];
    std::string found;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return found;
      }
      if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size()) {
        ++at_;
      }
      found += text_[at_];
    }
    return wrong("a text without its closing quote");
  }

  Result<LvmConfigValue> value() {
    skip();
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      return LvmConfigValue{TRY(quoted()), true};
    }
    std::string number = TRY(word());
    if (!std::ranges::all_of(number, [](char c) { return std::string_view("0123456789+-.").contains(c); })) {
      return wrong(fmt::format("'{}' is neither a number nor a text in quotes", number));
    }
    return LvmConfigValue{std::move(number), false};
  }

  Result<void> list(LvmConfigNode& node) {
    node.kind = Kind::list;
    while (!take(']')) {
      node.values.push_back(TRY(value()));
      if (!take(',')) {
        if (!take(']')) {
          return wrong("a list without its closing bracket");
        }
        return {};
      }
    }
    return {};
  }

  Result<LvmConfigNode> item(int depth) {
    if (depth > deepest) {
      return wrong("sections are nested too deeply");
    }
    LvmConfigNode node;
    node.key = text_[at_] == '"' || text_[at_] == '\'' ? TRY(quoted()) : TRY(word());
    if (take('{')) {
      while (!take('}')) {
        if (at_ >= text_.size()) {
          return wrong(fmt::format("section '{}' is not closed", node.key));
        }
        node.children.push_back(TRY(item(depth + 1)));
      }
      return node;
    }
    if (!take('=')) {
      return wrong(fmt::format("neither '=' nor '{{' after '{}'", node.key));
    }
    if (take('[')) {
      TRY(list(node));
    } else {
      node.kind = Kind::value;
      node.values.push_back(TRY(value()));
    }
    return node;
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t at_ = 0;
};

void write_value(const LvmConfigValue& value, std::string& out) {
  if (!value.quoted) {
    out += value.text;
    return;
  }
  out += '"';
  for (const char c : value.text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  out += '"';
}

void write_nodes(const std::vector<LvmConfigNode>& nodes, std::string& out) {
  for (const LvmConfigNode& node : nodes) {
    const bool plain =
        !node.key.empty() && std::ranges::none_of(node.key, [](char c) { return ends_word.contains(c); });
    write_value({node.key, !plain}, out);
    if (node.kind == Kind::section) {
      out += " {\n";
      write_nodes(node.children, out);
      out += "}\n";
      continue;
    }
    out += node.kind == Kind::list ? " = [" : " = ";
    for (std::size_t i = 0; i < node.values.size(); ++i) {
      out += i == 0 ? "" : ", ";
      write_value(node.values[i], out);
    }
    out += node.kind == Kind::list ? "]\n" : "\n";
  }
}

}  // namespace

std::string without_dashes(std::string id) {
  std::erase(id, '-');
  return id;
}

Result<LvmConfigNode> parse_lvm_config(std::string_view text, std::string_view name) {
  return Reader(text, name).file();
}

std::string lvm_config_text(const LvmConfigNode& root) {
  std::string text;
  write_nodes(root.children, text);
  return text;
}

}  // namespace domsmith
