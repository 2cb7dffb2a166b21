#include "imagebuild/boot/agent/settings.h"

#include <sys/stat.h>
#include <unistd.h>

namespace domsmith::agent {
namespace {

bool is_regular(const std::string& path, bool follow) {
  struct stat info{};
  int result = follow ? ::stat(path.c_str(), &info) : ::lstat(path.c_str(), &info);
  return result == 0 && S_ISREG(info.st_mode);
}

}  // namespace

Outcome set_timezone(const std::string& root, const std::string& zone) {
  std::string file = "/usr/share/zoneinfo/" + zone;
  if (!is_regular(root + file, true)) {
    return std::unexpected("the image has no " + file + " (package tzdata)");
  }
  Step link{.kind = StepKind::symlink, .path = "/etc/localtime", .argv = {file}};
  if (auto linked = place_symlink(root, link); !linked) {
    return linked;
  }
  if (is_regular(root + "/etc/timezone", false)) {
    return write_new_file(root + "/etc/timezone", zone + "\n", 0644);
  }
  return {};
}

Outcome enable_locale(const std::string& root, const std::string& locale) {
  auto supported = read_small_file(root + "/usr/share/i18n/SUPPORTED");
  if (!supported) {
    return std::unexpected(supported.error() + " (package locales)");
  }
  // Lines are "de_DE.UTF-8 UTF-8".
  std::string with_newline = "\n" + *supported;
  auto start = with_newline.find("\n" + locale + " ");
  if (start == std::string::npos) {
    return std::unexpected("the image's /usr/share/i18n/SUPPORTED has no locale '" + locale + "'");
  }
  std::string line = with_newline.substr(start + 1, with_newline.find('\n', start + 1) - start - 1);
  auto enabled = read_small_file(root + "/etc/locale.gen");
  std::string text = enabled ? *enabled : std::string();
  if (("\n" + text).find("\n" + line + "\n") != std::string::npos) {
    return {};
  }
  return write_new_file(root + "/etc/locale.gen", text + line + "\n", 0644);
}

Outcome put_away_host_files(const std::string& root) {
  std::string path = root + "/etc/resolv.conf";
  if (is_regular(path, false) && ::unlink(path.c_str()) != 0) {
    return errno_text("cannot remove " + path);
  }
  return {};
}

}  // namespace domsmith::agent
