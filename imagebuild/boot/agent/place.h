// Files, folders and links of a recipe, put where they belong. All paths start at ROOT, which is "" in a chroot.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "imagebuild/boot/agent/steps.h"

namespace domsmith::agent {

using Outcome = std::expected<void, std::string>;  // the text says why not

std::unexpected<std::string> errno_text(std::string_view what);
// At most `limit` bytes.
std::expected<std::string, std::string> read_small_file(const std::string& path, std::size_t limit = 16U << 20);

// A new file in place of whatever file or link was there.
Outcome write_new_file(const std::string& path, std::string_view bytes, std::uint32_t mode);

Outcome place_file(const std::string& root, const Step& step);
Outcome place_directory(const std::string& root, const Step& step);
Outcome place_new_directory(const std::string& root, const Step& step);  // one that is there stays as it is
Outcome place_symlink(const std::string& root, const Step& step);
Outcome remove_paths(const std::string& root, const std::vector<std::string>& patterns);

}  // namespace domsmith::agent
