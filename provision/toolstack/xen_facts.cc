#include "provision/toolstack/xen_facts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "provision/toolstack/xen_memory_facts.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

// The first line of a small file of /proc or /sys; empty where it cannot be read.
std::string line_of(const fs::path& file) {
  const auto text = read_file(file, 1U << 16);
  return text ? trimmed(text->substr(0, text->find('\n'))) : std::string();
}

bool opens(const fs::path& device) { return open_fd(device.string(), O_RDWR).has_value(); }

// The socket takes a connection; for an ordinary user: it is there.
bool answers(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = path.string();
  if (name.size() >= sizeof(address.sun_path)) {
    return false;
  }
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return socket && (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
                    errno == EACCES);
}

// Whether a process of that name runs (comm of proc(5), 15 bytes).
bool process_runs(const fs::path& proc, std::string_view name) {
  std::error_code error;
  for (fs::directory_iterator entry(proc, error), end; !error && entry != end; entry.increment(error)) {
    const auto pid = entry->path().filename().string();
    if (pid.find_first_not_of("0123456789") == std::string::npos && line_of(entry->path() / "comm") == name) {
      return true;
    }
  }
  return false;
}

bool hypervisor_in(const fs::path& boot) {
  std::error_code error;
  for (fs::directory_iterator entry(boot, error), end; !error && entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (name.starts_with("xen") && (name.ends_with(".gz") || name.ends_with(".efi"))) {
      return true;
    }
  }
  return false;
}

// Documentation/ABI/stable/sysfs-hypervisor-xen. dom0's UUID is all zeroes; /proc/xen may not be mounted.
bool controls_xen(const fs::path& root) {
  return line_of(root / "proc/xen/capabilities").find("control_d") != std::string::npos ||
         line_of(root / "sys/hypervisor/uuid") == "00000000-0000-0000-0000-000000000000";
}

std::string version_of(const fs::path& folder) {
  const auto major = line_of(folder / "major");
  return major.empty() ? std::string()
                       : fmt::format("{}.{}{}", major, line_of(folder / "minor"), line_of(folder / "extra"));
}

}  // namespace

XenFacts xen_presence(const fs::path& root) {
  XenFacts facts;
  facts.hypervisor_installed = hypervisor_in(root / "boot");
  facts.runs_xen = line_of(root / "sys/hypervisor/type") == "xen";
  if (!facts.runs_xen) {
    return facts;
  }
  facts.is_dom0 = controls_xen(root);
  facts.privcmd = opens(root / "dev/xen/privcmd") || opens(root / "proc/xen/privcmd");
  facts.xenstored = answers(root / "run/xenstored/socket") || answers(root / "var/run/xenstored/socket") ||
                    (facts.privcmd && opens(root / "dev/xen/xenbus"));
  return facts;
}

XenFacts xen_facts(const fs::path& root) {
  auto facts = xen_presence(root);
  if (!facts.runs_xen) {
    return facts;
  }
  facts.version = version_of(root / "sys/hypervisor/version");
  facts.xenconsoled = process_runs(root / "proc", "xenconsoled");
  if (root == "/" && facts.is_dom0 && facts.privcmd && facts.xenstored) {
    add_memory_facts(facts);
  }
  return facts;
}

Result<void> require_xen(const XenFacts& facts) {
  if (!facts.runs_xen) {
    return fail(ErrorCode::unsupported, "this host does not run Xen",
                facts.hypervisor_installed ? "boot this host with the Xen entry of its boot menu; see `domsmith doctor`"
                                           : "apt-get install xen-system-amd64 and boot it; see `domsmith doctor`");
  }
  if (!facts.is_dom0) {
    return fail(ErrorCode::unsupported, "this machine is a Xen guest itself and cannot start others",
                "run domsmith in the host's dom0");
  }
  if (!facts.privcmd) {
    return fail(ErrorCode::denied, "this user may not manage Xen's guests", "run it as root");
  }
  if (!facts.xenstored) {
    return fail(ErrorCode::failed, "xenstored does not run, so Xen's guests cannot be managed",
                "systemctl start xen; see `domsmith doctor`");
  }
  return {};
}

}  // namespace domsmith
