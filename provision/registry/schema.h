// The tables of the registry and how an older file comes up to date.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"

namespace domsmith {

class Database;

// "doms": PRAGMA application_id, so that a file of another program is told from ours (file(1) shows it too).
inline constexpr std::int64_t kApplicationId = 0x646f6d73;

// Step N (from 1) takes a file from PRAGMA user_version N-1 to N.
std::span<const std::string_view> migrations();

// Brings the file to the last step in one transaction. unsupported: its version is newer than the last step; failed: it
// is some other program's database.
Result<void> migrate(Database& database, std::span<const std::string_view> steps);

// The same checks without writing; not_found for a file that nothing was written to yet, unsupported for an older
// version.
Result<void> check_schema(Database& database, std::span<const std::string_view> steps);

}  // namespace domsmith
