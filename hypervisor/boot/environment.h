// GRUB's environment block (grub-editenv(1)): 1024 bytes, "NAME=VALUE" lines behind a comment, filled up with '#'. GRUB
// writes it without knowing the file system, so its size and its place never change.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace domsmith {

std::string fresh_environment();  // "slot=a"

// "" where the name is not set.
std::string environment_value(std::string_view block, std::string_view name);
// An empty value unsets. bad_input: the block is none of GRUB's; no_space: it is full.
Result<std::string> environment_with(std::string_view block, std::string_view name, std::string_view value);

}  // namespace domsmith
