#include "hypervisor/init/devices.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace domsmith::host_init {
namespace {

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* items = ::opendir(folder.c_str());
  if (items == nullptr) {
    return names;
  }
  while (const dirent* item = ::readdir(items)) {
    if (item->d_name[0] != '.') {
      names.emplace_back(item->d_name);
    }
  }
  ::closedir(items);
  std::sort(names.begin(), names.end());
  return names;
}

std::string first_line(const std::string& path) {
  std::array<char, 1024> buffer{};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return {};
  }
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  ::close(fd);
  const std::string text(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  return text.substr(0, text.find('\n'));
}

bool asked_for(const std::string& pattern, const std::vector<std::string>& aliases) {
  return std::any_of(aliases.begin(), aliases.end(),
                     [&](const std::string& alias) { return ::fnmatch(pattern.c_str(), alias.c_str(), 0) == 0; });
}

}  // namespace

std::vector<Driver> read_drivers(std::string_view text) {
  std::vector<Driver> drivers;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    Driver driver;
    while (!line.empty()) {
      const auto word = line.substr(0, line.find(' '));
      line.remove_prefix(std::min(word.size() + 1, line.size()));
      if (driver.pattern.empty()) {
        driver.pattern = word;
      } else if (!word.empty()) {
        driver.files.emplace_back(word);
      }
    }
    if (!driver.files.empty()) {
      drivers.push_back(driver);
    }
  }
  return drivers;
}

std::vector<std::string> modaliases(const std::string& sys_bus) {
  std::vector<std::string> aliases;
  for (const std::string& bus : names_in(sys_bus)) {
    const std::string devices = sys_bus + "/" + bus + "/devices";
    for (const std::string& device : names_in(devices)) {
      std::string alias = first_line(devices + "/" + device + "/modalias");
      if (!alias.empty()) {
        aliases.push_back(std::move(alias));
      }
    }
  }
  return aliases;
}

std::vector<std::vector<std::string>> wanted_drivers(const std::vector<Driver>& drivers,
                                                     const std::vector<std::string>& aliases,
                                                     const std::vector<std::string>& started) {
  std::vector<std::vector<std::string>> wanted;
  for (const Driver& driver : drivers) {
    const std::string& last = driver.files.back();
    const bool known =
        std::find(started.begin(), started.end(), last) != started.end() ||
        std::any_of(wanted.begin(), wanted.end(), [&](const auto& files) { return files.back() == last; });
    if (!known && asked_for(driver.pattern, aliases)) {
      wanted.push_back(driver.files);
    }
  }
  return wanted;
}

}  // namespace domsmith::host_init
