#include "imagebuild/recipe/schema.h"

#include <algorithm>

namespace domsmith {

const KeySchema* find_key(const TableSchema& table, std::string_view name) {
  const auto found = std::ranges::find(table.keys, name, &KeySchema::name);
  return found == table.keys.end() ? nullptr : &*found;
}

const TableSchema* find_table(const TableSchema& table, std::string_view name) {
  const auto found = std::ranges::find(table.tables, name, &TableSchema::name);
  return found == table.tables.end() ? nullptr : &*found;
}

}  // namespace domsmith
