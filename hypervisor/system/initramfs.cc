#include "hypervisor/system/initramfs.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "hypervisor/init/embedded.h"
#include "hypervisor/system/elf_needs.h"
#include "hypervisor/system/libraries.h"
#include "imagebuild/archive/cpio.h"

namespace domsmith {
namespace {

// Where things stand in the initramfs: found by the kernel, by ld.so(8) and by /init.
std::string place_of(const std::string& path) {
  const auto name = path.substr(path.rfind('/') + 1);
  return path.starts_with(library_folder) ? "lib/x86_64-linux-gnu/" + name : path.substr(1);
}

// The programs and all that their libraries need in turn, each once.
Result<void> add_programs(CpioWriter& cpio, const SlotTree& tree, std::vector<std::string> wanted) {
  std::set<std::string> known;
  while (!wanted.empty()) {
    const std::string path = std::move(wanted.back());
    wanted.pop_back();
    if (!known.insert(path).second) {
      continue;
    }
    const SlotFile* file = find_file(tree, path);
    if (file == nullptr) {
      return fail(ErrorCode::not_found, fmt::format("the initramfs needs {}, which is not in the slot", path),
                  "name its package in the recipe, or keep it in left-out.txt with '!'");
    }
    const ElfNeeds needs = TRY_AS(elf_needs(file->content), fmt::format("cannot take {} into the initramfs", path));
    if (!needs.interpreter.empty()) {
      wanted.push_back(needs.interpreter);
    }
    for (const std::string& library : needs.libraries) {
      wanted.push_back((library.starts_with("ld-linux") ? "/lib64/" : std::string(library_folder)) + library);
    }
    TRY(cpio.file(place_of(path), file->content, 0755));
  }
  return {};
}

}  // namespace

Result<std::string> make_host_initramfs(const SlotTree& tree, const EarlyModules& modules) {
  CpioWriter cpio;
  for (const char* folder : {"dev", "proc", "sys", "root", "run", "etc/lvm", "lib/modules"}) {
    TRY(cpio.directory(folder));
  }
  TRY(cpio.device("dev/console", 0600, false, 5, 1));
  TRY(cpio.file("init", host_init::init_program(), 0755));
  TRY(add_programs(cpio, tree, {"/usr/sbin/lvm", "/usr/sbin/mdadm"}));
  for (const auto& [name, bytes] : modules.files) {
    TRY(cpio.file("lib/modules/" + name, bytes));
  }
  for (const auto& [name, text] : modules.lists) {
    TRY(cpio.file(name, text));
  }
  TRY(cpio.file("drivers", modules.drivers));
  return cpio.finish();
}

}  // namespace domsmith
