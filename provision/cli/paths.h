// Where domsmith keeps its things: all of them below one root ("/" or --root DIR), so that tests and trials need no
// real /etc.
#pragma once

#include <filesystem>

namespace domsmith {

struct Paths {
  std::filesystem::path root = "/";  // absolute

  [[nodiscard]] std::filesystem::path config_file() const { return root / "etc/domsmith/domsmith.toml"; }
  [[nodiscard]] std::filesystem::path state() const { return root / "var/lib/domsmith"; }
  [[nodiscard]] std::filesystem::path registry() const { return state() / "registry.sqlite"; }
  [[nodiscard]] std::filesystem::path journal() const { return state() / "journal"; }
  [[nodiscard]] std::filesystem::path boot() const { return state() / "boot"; }    // kernels and initramfs by SHA-256
  [[nodiscard]] std::filesystem::path xen() const { return root / "etc/xen"; }     // NAME.cfg
  [[nodiscard]] std::filesystem::path xen_auto() const { return xen() / "auto"; }  // xl's autostart links
};

}  // namespace domsmith
