// LVM's text format (lvm.conf(5); vgcfgbackup(8) writes a volume group in it), read into a tree and written again:
//
//   file     = section* ; section = KEY "{" (section | setting)* "}" ; setting = KEY "=" (value | "[" value (","
//   value)* "]") value    = "text with \" and \\" | 'text' | number        # to the end of the line is a comment
//
// Keys keep their order, and unknown ones stay, so that what was not changed is written as it was read. Comments and
// white space are not kept: LVM itself drops them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

struct LvmConfigValue {
  std::string text;     // a number: its digits, as they stood there
  bool quoted = false;  // a text in quotes
  bool operator==(const LvmConfigValue&) const = default;
};

struct LvmConfigNode {
  enum class Kind { section, value, list };
  std::string key;
  Kind kind = Kind::section;
  std::vector<LvmConfigValue> values;   // value: one; list: any number
  std::vector<LvmConfigNode> children;  // section
  bool operator==(const LvmConfigNode&) const = default;

  static LvmConfigNode section(std::string key) { return {std::move(key), Kind::section, {}, {}}; }
  static LvmConfigNode text(std::string key, std::string value);
  static LvmConfigNode number(std::string key, std::uint64_t value);
  static LvmConfigNode texts(std::string key, const std::vector<std::string>& values);

  [[nodiscard]] const LvmConfigNode* find(std::string_view wanted) const;  // the first child of that key
  [[nodiscard]] LvmConfigNode* find(std::string_view wanted);
  // Of a child: its one value, where it is there and of that type.
  [[nodiscard]] std::optional<std::string> text_of(std::string_view wanted) const;
  [[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view wanted) const;
  [[nodiscard]] bool lists(std::string_view wanted, std::string_view word) const;  // a child list holds that text
};

// The root, a section without a key. `name` stands in errors: "NAME:LINE: …". bad_input.
Result<LvmConfigNode> parse_lvm_config(std::string_view text, std::string_view name);

// An identifier as the disk and device-mapper have it: without the dashes that LVM prints.
std::string without_dashes(std::string id);

// As LVM writes it to disk: one item a line, not indented.
std::string lvm_config_text(const LvmConfigNode& root);

}  // namespace domsmith
