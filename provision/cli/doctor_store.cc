// The store, and what the kernel and LVM must offer to it.
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "lvm-snapshots/store.h"
#include "lvm-snapshots/store_spec.h"
#include "provision/cli/doctor.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using State = Check::State;

constexpr std::uint64_t kLittleRoomForImages = 4ULL << 30;  // about two images of the default size

// Device-mapper's misc device (Documentation/admin-guide/device-mapper) and its thin targets, built in or as a module.
Check check_thin(const fs::path& host, State otherwise) {
  Check check{.area = "store", .name = "thin provisioning", .state = State::ok, .text = {}, .remedy = {}};
  const bool mapper = read_file(host / "proc/misc").value_or("").contains(" device-mapper");
  std::error_code ignored;
  if (mapper && fs::exists(host / "sys/module/dm_thin_pool", ignored)) {
    check.text = "device-mapper and dm-thin are there";
    return check;
  }
  utsname name{};
  ::uname(&name);
  const fs::path modules = host / "lib/modules" / name.release;
  constexpr std::uint64_t limit = 64ULL << 20;
  const std::string listed = read_file(modules / "modules.dep", limit).value_or("") +
                             read_file(modules / "modules.builtin", limit).value_or("");
  if (listed.contains("/dm-thin-pool.ko")) {
    check.text = "the kernel has it (dm-thin-pool)";
    return check;
  }
  check.state = otherwise;
  check.text = mapper ? "this kernel has device-mapper, but no dm-thin" : "this kernel has no device-mapper";
  check.remedy = "boot a kernel with CONFIG_DM_THIN_PROVISIONING, or keep volumes in a folder: --store dir:PATH";
  return check;
}

Check check_tool(const std::string& program, const std::string& what_for, State otherwise) {
  const Result<std::string> path = find_program(program);
  if (path) {
    return {.area = "store", .name = program, .state = State::ok, .text = *path, .remedy = {}};
  }
  return {.area = "store",
          .name = program,
          .state = otherwise,
          .text = "not installed; " + what_for,
          .remedy = path.error().remedy};
}

Check check_named(const std::string& spec) {
  Check check{.area = "store", .name = "store", .state = State::ok, .text = {}, .remedy = {}};
  auto store = open_store(spec);
  if (!store) {
    check.state = State::missing;
    check.text = store.error().what;
    check.remedy = store.error().remedy;
    return check;
  }
  const Result<StoreStatus> status = (*store)->status();
  if (!status) {
    check.state = State::missing;
    check.text = join(std::vector<std::string>{status.error().what, join(status.error().causes, ": ")}, ": ");
    check.remedy = status.error().remedy;
    return check;
  }
  check.text = fmt::format("{}, clones by {}, {} of {} free", status->description, status->method,
                           size_text(status->free), size_text(status->size));
  if (status->free < kLittleRoomForImages) {
    check.state = State::lacks;
    check.remedy = "that is room for an image or two; make it larger, or remove images: domsmith image list";
  }
  return check;
}

}  // namespace

std::vector<Check> check_store(const std::string& spec, const fs::path& host) {
  std::vector<Check> checks;
  const Result<StoreSpec> parsed = parse_store_spec(spec);
  const bool is_lvm = parsed && parsed->kind == StoreKind::lvm;
  if (spec.empty()) {
    checks.push_back({.area = "store",
                      .name = "store",
                      .state = State::lacks,
                      .text = "none is named in the settings",
                      .remedy = "set store = \"lvm:VG/POOL\" or \"dir:PATH\", or give --store with every command"});
  } else {
    checks.push_back(check_named(spec));
  }
  const State otherwise = is_lvm ? State::missing : State::lacks;
  checks.push_back(check_thin(host, otherwise));
  checks.push_back(check_tool("lvm", "LVM stores need it", otherwise));
  checks.push_back(check_tool("thin_check", "LVM checks a pool's metadata with it", otherwise));
  return checks;
}

}  // namespace domsmith
