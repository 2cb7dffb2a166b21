#include "hypervisor/boot/environment.h"

#include <fmt/format.h>

#include "base/text.h"

namespace domsmith {
namespace {

constexpr std::size_t environment_size = 1024;
constexpr std::string_view signature = "# GRUB Environment Block\n";

std::string filled(const std::string& text) {
  return fmt::format("{}{}", text, std::string(environment_size - text.size(), '#'));
}

}  // namespace

std::string fresh_environment() { return filled(fmt::format("{}slot=a\n", signature)); }

std::string environment_value(std::string_view block, std::string_view name) {
  for (const std::string& line : split_lines(block)) {
    if (line.starts_with(std::string(name) + "=")) {
      return line.substr(name.size() + 1);
    }
  }
  return {};
}

Result<std::string> environment_with(std::string_view block, std::string_view name, std::string_view value) {
  if (block.size() != environment_size || !block.starts_with(signature)) {
    return fail(ErrorCode::bad_input, "GRUB's environment block is damaged",
                "write it anew: grub-editenv FILE create, then set slot");
  }
  std::vector<std::string> lines;
  for (const std::string& line : split_lines(block.substr(signature.size()))) {
    if (!line.empty() && line[0] != '#' && !line.starts_with(std::string(name) + "=")) {
      lines.push_back(line + "\n");
    }
  }
  if (!value.empty()) {
    lines.push_back(fmt::format("{}={}\n", name, value));
  }
  const std::string fresh = fmt::format("{}{}", signature, join(lines, ""));
  if (fresh.size() > environment_size) {
    return fail(ErrorCode::no_space, "GRUB's environment block is full");
  }
  return filled(fresh);
}

}  // namespace domsmith
