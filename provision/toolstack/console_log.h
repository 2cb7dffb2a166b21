// What xenconsoled kept of a guest's console (xenconsoled(8), --log=guest): /var/log/xen/console/guest-NAME.log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace domsmith {

class ConsoleLog {
 public:
  explicit ConsoleLog(std::string_view name, const std::filesystem::path& directory = "/var/log/xen/console");
  // Its last lines since this object was made, as plain text; none where nothing is logged.
  [[nodiscard]] std::vector<std::string> last_lines(std::size_t count) const;

 private:
  std::filesystem::path file_;
  std::uint64_t start_ = 0;
};

}  // namespace domsmith
