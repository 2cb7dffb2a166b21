// Small text helpers that more than one room needs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

// "2GiB", "512MiB", "64KiB", "1048576" -> bytes. KB/MB/GB are powers of ten. nullopt where it is none of these.
std::optional<std::uint64_t> parse_size(std::string_view text);
// 2147483648 -> "2.0 GiB"
std::string size_text(std::uint64_t bytes);

// The candidate nearest to `word` by edit distance, when it is near enough to be meant; empty otherwise.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

std::vector<std::string> split_lines(std::string_view text);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string trimmed(std::string_view text);

// RFC 1123 host label as used for guests and images: [a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?; the Error says what is wrong.
Result<void> check_name(std::string_view what, std::string_view name);

}  // namespace domsmith
