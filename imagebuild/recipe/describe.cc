#include "imagebuild/recipe/describe.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "imagebuild/recipe/document.h"
#include "imagebuild/recipe/values.h"
#include "imagebuild/recipe/write.h"

namespace domsmith {

namespace {

using nlohmann::json;

json string_schema(const KeySchema& key) {
  json schema{{"type", "string"}};
  if (!key.choices.empty()) {
    schema["enum"] = key.choices;
  }
  if (!key.pattern.empty()) {
    schema["pattern"] = key.pattern;
  }
  if (key.maximum && !is_list(key.type)) {
    schema["maxLength"] = *key.maximum;
  }
  return schema;
}

json number_schema(const KeySchema& key) {
  json schema{{"type", "integer"}};
  if (key.minimum) {
    schema["minimum"] = *key.minimum;
  }
  if (key.maximum) {
    schema["maximum"] = *key.maximum;
  }
  if (key.multiple != 1) {
    schema["multipleOf"] = key.multiple;
  }
  return schema;
}

json list_schema(const KeySchema& key) {
  json schema{{"type", "array"}, {"items", string_schema(key)}};
  if (key.minimum) {
    schema["minItems"] = *key.minimum;
  }
  return schema;
}

json size_schema(const KeySchema& key) {
  json schema{{"anyOf", {number_schema(key), {{"type", "string"}, {"pattern", "^[0-9]+ *([KMGT]i?B)?$"}}}}};
  if (!key.word.empty()) {
    schema["anyOf"].push_back({{"const", key.word}});
  }
  return schema;
}

json type_schema(const KeySchema& key) {
  switch (key.type) {
    case ValueType::string:
      return string_schema(key);
    case ValueType::integer:
      return number_schema(key);
    case ValueType::boolean:
      return {{"type", "boolean"}};
    case ValueType::size:
      return size_schema(key);
    case ValueType::mode:
      return {{"anyOf",
               {{{"type", "integer"}, {"minimum", 0}, {"maximum", 07777}},
                {{"type", "string"}, {"pattern", "^0?[0-7]{3,4}$"}}}}};
    case ValueType::string_list:
      return list_schema(key);
    case ValueType::string_or_list:
      return {{"anyOf", {string_schema(key), list_schema(key)}}};
  }
  return {};
}

json value_json(const Value& value) {
  return std::visit([](const auto& held) { return json(held); }, value);
}

json key_schema(const KeySchema& key) {
  json schema = type_schema(key);
  schema["description"] = key.doc;
  if (key.fallback && key.type == ValueType::mode) {
    schema["default"] = mode_text(std::get<std::int64_t>(*key.fallback));
  } else if (key.fallback) {
    schema["default"] = value_json(*key.fallback);
  }
  return schema;
}

json table_schema(const TableSchema& table);

// [profile.NAME]: what the root's tables hold, nothing required.
json layer_schema(const TableSchema& root) {
  json layer{{"type", "object"}, {"additionalProperties", false}, {"properties", json::object()}};
  for (const TableSchema& inner : root.tables) {
    if (!inner.free_key && !inner.profiles) {
      json one = table_schema(inner);
      one.erase("required");
      layer["properties"][inner.name] =
          inner.array ? json{{"type", "array"}, {"items", std::move(one)}} : std::move(one);
    }
  }
  return layer;
}

json inner_schema(const TableSchema& inner, const TableSchema& root) {
  if (inner.free_key) {
    return {{"type", "object"}, {"description", inner.doc}, {"additionalProperties", key_schema(*inner.free_key)}};
  }
  if (inner.profiles) {
    return {{"type", "object"}, {"description", inner.doc}, {"additionalProperties", layer_schema(root)}};
  }
  return table_schema(inner);
}

json table_schema(const TableSchema& table) {
  json schema{{"type", "object"}, {"additionalProperties", false}, {"properties", json::object()}};
  if (!table.doc.empty()) {
    schema["description"] = table.doc;
  }
  json required = json::array();
  for (const KeySchema& key : table.keys) {
    schema["properties"][key.name] = key_schema(key);
    if (key.required) {
      required.push_back(key.name);
    }
  }
  for (const TableSchema& inner : table.tables) {
    json one = inner_schema(inner, table);
    schema["properties"][inner.name] =
        inner.array ? json{{"type", "array"}, {"items", std::move(one)}} : std::move(one);
    if (inner.required) {
      required.push_back(inner.name);
    }
  }
  if (!required.empty()) {
    schema["required"] = std::move(required);
  }
  return schema;
}

// Markdown's table cells are parted by '|'.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  }
  return out;
}

std::string type_text(const KeySchema& key) {
  if (!key.word.empty()) {
    return fmt::format("{} or `\"{}\"`", type_words(key.type).substr(2), key.word);
  }
  if (key.choices.empty()) {
    return std::string(type_words(key.type).substr(type_words(key.type).find(' ') + 1));
  }
  std::string out;
  for (const std::string& choice : key.choices) {
    out += fmt::format("{}`\"{}\"`", out.empty() ? "" : ", ", choice);
  }
  return out;
}

std::string default_text(const KeySchema& key) {
  if (!key.default_text.empty() || !key.fallback) {
    return key.required ? "**required**" : key.default_text;
  }
  const Value& value = *key.fallback;
  if (const auto* text = std::get_if<std::string>(&value)) {
    return fmt::format("`{}`", toml_string(*text));
  }
  if (const auto* truth = std::get_if<bool>(&value)) {
    return *truth ? "`true`" : "`false`";
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return key.type == ValueType::size   ? fmt::format("`\"{}\"`", exact_size_text(*number))
           : key.type == ValueType::mode ? fmt::format("`\"{}\"`", mode_text(*number))
                                         : fmt::format("`{}`", *number);
  }
  std::string list;
  for (const std::string& element : std::get<StringList>(value)) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", toml_string(element));
  }
  return fmt::format("`[{}]`", list);
}

void describe_table(const TableSchema& table, const std::string& path, std::string& out) {
  if (!path.empty()) {
    out += fmt::format(fmt::runtime(table.array      ? "### `[[{}]]`\n\n"
                                    : table.profiles ? "### `[{}.NAME.TABLE]`\n\n"
                                                     : "### `[{}]`\n\n"),
                       path);
  }
  if (!table.doc.empty()) {
    out += fmt::format("{}\n\n", table.doc);
  }
  if (!table.keys.empty()) {
    out += "| key | type | default | what it says | example |\n|---|---|---|---|---|\n";
  }
  if (table.free_key) {
    out += fmt::format("Each key is a name of your own, its value {}: `{}`.\n\n", type_words(table.free_key->type),
                       table.free_key->example);
  }
  for (const KeySchema& key : table.keys) {
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.name, type_text(key), cell(default_text(key)),
                       cell(key.doc), key.example.empty() ? std::string{} : fmt::format("`{}`", cell(key.example)));
  }
  out += table.keys.empty() ? "" : "\n";
  for (const TableSchema& inner : table.tables) {
    describe_table(inner, path.empty() ? inner.name : fmt::format("{}.{}", path, inner.name), out);
  }
}

}  // namespace

nlohmann::json json_schema(const Schema& schema) {
  json out = table_schema(schema.root);
  out["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  out["title"] = schema.title;
  return out;
}

std::string markdown_reference(const Schema& schema) {
  std::string out;
  describe_table(schema.root, {}, out);
  return out;
}

}  // namespace domsmith
