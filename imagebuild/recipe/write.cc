#include "imagebuild/recipe/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "imagebuild/recipe/values.h"

namespace domsmith {

namespace {

std::string escaped(std::string_view text, bool several_lines) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += fmt::format("\\{}", c);
    } else if (c == '\n' && !several_lines) {
      out += "\\n";
    } else if ((byte < 0x20 && c != '\n' && (c != '\t' || !several_lines)) || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

// A string of several lines stands as it is read, between three quotes; TOML drops the newline behind the first three.
std::string string_text(const std::string& text) {
  const bool several_lines = text.find('\n') < text.size() - 1;
  return text.empty() || !several_lines ? toml_string(text) : fmt::format("\"\"\"\n{}\"\"\"", escaped(text, true));
}

std::string list_text(const StringList& list) {
  std::string one_line;
  for (const std::string& element : list) {
    one_line += fmt::format("{}{}", one_line.empty() ? "" : ", ", toml_string(element));
  }
  if (one_line.size() <= 100) {
    return fmt::format("[{}]", one_line);
  }
  std::string out = "[\n";
  for (const std::string& element : list) {
    out += fmt::format("  {},\n", toml_string(element));
  }
  return out + "]";
}

bool is_word(const DocumentTable& table, const KeySchema& key) {
  return !key.word.empty() && table.integer(key.name) == 0;
}

std::string value_text(const DocumentTable& table, const KeySchema& key) {
  switch (key.type) {
    case ValueType::string:
      return string_text(table.string(key.name));
    case ValueType::integer:
      return std::to_string(table.integer(key.name));
    case ValueType::boolean:
      return table.boolean(key.name) ? "true" : "false";
    case ValueType::size:
      return toml_string(is_word(table, key) ? key.word : exact_size_text(table.integer(key.name)));
    case ValueType::mode:
      return toml_string(mode_text(table.integer(key.name)));
    case ValueType::string_list:
    case ValueType::string_or_list:
      return list_text(table.strings(key.name));
  }
  return {};
}

void write_table(const DocumentTable& table, const TableSchema& schema, const std::string& path, std::string& out) {
  const bool any_key = std::ranges::any_of(schema.keys, [&](const KeySchema& key) { return table.has(key.name); });
  if (!path.empty() && (any_key || schema.array)) {
    out += fmt::format(fmt::runtime(schema.array ? "\n[[{}]]\n" : "\n[{}]\n"), path);
  }
  for (const KeySchema& key : schema.keys) {
    if (table.has(key.name)) {
      out += fmt::format("{} = {}\n", key.name, value_text(table, key));
    }
  }
  for (const TableSchema& inner : schema.tables) {
    const std::string inner_path = path.empty() ? inner.name : fmt::format("{}.{}", path, inner.name);
    if (!inner.array) {
      write_table(table.table(inner.name), inner, inner_path, out);
      continue;
    }
    for (const DocumentTable& item : table.tables(inner.name)) {
      write_table(item, inner, inner_path, out);
    }
  }
}

nlohmann::json value_json(const DocumentTable& table, const KeySchema& key) {
  switch (key.type) {
    case ValueType::string:
      return table.string(key.name);
    case ValueType::size:
      return is_word(table, key) ? nlohmann::json(key.word) : nlohmann::json(table.integer(key.name));
    case ValueType::integer:
    case ValueType::mode:
      return table.integer(key.name);
    case ValueType::boolean:
      return table.boolean(key.name);
    case ValueType::string_list:
    case ValueType::string_or_list:
      return table.strings(key.name);
  }
  return nullptr;
}

nlohmann::json table_json(const DocumentTable& table, const TableSchema& schema) {
  nlohmann::json json = nlohmann::json::object();
  for (const KeySchema& key : schema.keys) {
    if (table.has(key.name)) {
      json[key.name] = value_json(table, key);
    }
  }
  for (const TableSchema& inner : schema.tables) {
    if (inner.free_key || inner.profiles) {
      continue;  // they are what a document was put together from
    }
    if (!inner.array) {
      json[inner.name] = table_json(table.table(inner.name), inner);
      continue;
    }
    json[inner.name] = nlohmann::json::array();
    for (const DocumentTable& item : table.tables(inner.name)) {
      json[inner.name].push_back(table_json(item, inner));
    }
  }
  return json;
}

}  // namespace

std::string toml_string(std::string_view text) { return fmt::format("\"{}\"", escaped(text, false)); }

std::string toml_text(const DocumentTable& root, const Schema& schema) {
  std::string out;
  write_table(root, schema.root, {}, out);
  return out.starts_with('\n') ? out.substr(1) : out;
}

nlohmann::json document_json(const DocumentTable& root, const Schema& schema) { return table_json(root, schema.root); }

}  // namespace domsmith
