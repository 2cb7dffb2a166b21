#include "imagebuild/boot/boot_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto.h"
#include "base/text.h"
#include "imagebuild/archive/cpio.h"
#include "imagebuild/archive/decompress.h"
#include "imagebuild/boot/agent/embedded.h"
#include "imagebuild/boot/kernel_ability.h"
#include "imagebuild/boot/kernel_choice.h"
#include "imagebuild/boot/module_index.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith::boot {
namespace {

constexpr std::string_view kernel_prefix = "vmlinuz-";
constexpr std::uint64_t index_limit = 16ULL << 20;  // of one modules.* file
constexpr std::uint64_t status_limit = 64ULL << 20;

// What every guest needs: its disk and its network card.
const std::vector<std::string>& guest_modules() {
  static const std::vector<std::string> names{"xen-blkfront", "xen-netfront"};
  return names;
}

struct Module {
  std::string name;  // its file's name in the initramfs: "ext4.ko"
  std::string bytes;
};

// Where a kernel of this version lies: Debian's place, or the one beside its modules that Fedora and Arch have, too.
Result<std::string> kernel_path(extfs::FileSystem& image, const std::string& version) {
  const std::string path = fmt::format("/boot/{}{}", kernel_prefix, version);
  return TRY(image.exists(path)) ? path : fmt::format("/lib/modules/{}/vmlinuz", version);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Result<std::vector<std::string>> kernel_versions(extfs::FileSystem& image) {
  std::vector<std::string> versions;
  if (TRY(image.exists("/boot"))) {
    for (const extfs::DirectoryItem& item : TRY(image.list("/boot"))) {
      const std::string version =
          item.name.starts_with(kernel_prefix) ? item.name.substr(kernel_prefix.size()) : std::string();
      // /boot/vmlinuz-linux of Arch is another name for one of /lib/modules.
      if (!version.empty() && (is_digit(version[0]) || TRY(image.exists("/lib/modules/" + version)))) {
        versions.push_back(version);
      }
    }
  }
  if (TRY(image.exists("/lib/modules"))) {
    for (const extfs::DirectoryItem& item : TRY(image.list("/lib/modules"))) {
      if (TRY(image.exists(fmt::format("/lib/modules/{}/vmlinuz", item.name)))) {
        versions.push_back(item.name);
      }
    }
  }
  return versions;
}

Result<std::string> find_kernel(extfs::FileSystem& image, const std::string& package) {
  const std::vector<std::string> versions = TRY(kernel_versions(image));
  if (versions.empty()) {
    return fail(ErrorCode::not_found, "the image has no kernel (/boot/vmlinuz-VERSION)",
                "name its package in the recipe: [boot] kernel = \"linux-image-amd64\", or \"none\" for no boot files");
  }
  constexpr const char* status = "/var/lib/dpkg/status";
  const bool known = TRY(image.exists(status));
  return choose_kernel(versions, package, known ? TRY(image.read_file(status, status_limit)) : std::string());
}

Result<std::string> read_index(extfs::FileSystem& image, const std::string& path) {
  return TRY(image.exists(path)) ? image.read_file(path, index_limit) : Result<std::string>(std::string());
}

Result<std::vector<std::string>> module_paths(extfs::FileSystem& image, const std::string& folder,
                                              const std::string& version, const std::vector<std::string>& names) {
  const ModuleFiles files{.dep = TRY(read_index(image, folder + "/modules.dep")),
                          .builtin = TRY(read_index(image, folder + "/modules.builtin")),
                          .softdep = TRY(read_index(image, folder + "/modules.softdep")),
                          .alias = TRY(read_index(image, folder + "/modules.alias"))};
  if (files.dep.empty() && files.builtin.empty()) {
    return fail(ErrorCode::not_found, fmt::format("the kernel {} has no modules.dep in {}", version, folder),
                "its package has to be configured when the image is built");
  }
  return ModuleIndex(files, version).load_order(names);
}

Result<std::vector<Module>> read_modules(extfs::FileSystem& image, const std::string& folder,
                                         const std::vector<std::string>& paths, const BootLimits& limits,
                                         std::uint64_t& budget) {
  std::vector<Module> modules;
  for (const std::string& path : paths) {
    const std::string whole = path.starts_with('/') ? path : folder + "/" + path;
    const std::string packed = TRY(image.read_file(whole, limits.module));
    Module module{.name = module_name_of(path) + ".ko",
                  .bytes = TRY_AS(decompress(packed, limits.module), fmt::format("cannot unpack {}", whole))};
    if (module.bytes.size() > budget) {
      return fail(ErrorCode::no_space,
                  fmt::format("kernel and modules are larger than {} together", size_text(limits.total)),
                  "name fewer modules in [boot] modules");
    }
    budget -= module.bytes.size();
    modules.push_back(std::move(module));
  }
  return modules;
}

// The kernel opens /dev/console for /init before anything is mounted.
Result<std::string> pack_initramfs(const std::vector<Module>& modules) {
  CpioWriter cpio;
  for (const char* folder : {"dev", "proc", "sys", "root", "lib/modules"}) {
    TRY(cpio.directory(folder));
  }
  TRY(cpio.device("dev/console", 0600, false, 5, 1));
  TRY(cpio.file("init", agent::init_program(), 0755));
  std::string list;
  for (const Module& module : modules) {
    const std::string path = "lib/modules/" + module.name;
    TRY(cpio.file(path, module.bytes));
    list += fmt::format("/{}\n", path);
  }
  TRY(cpio.file("modules", list));
  // Not compressed: it is small, and a guest starts faster when nothing has to be unpacked twice.
  return cpio.finish(Compression::none);
}

}  // namespace

Result<BootFiles> extract_boot_files(extfs::FileSystem& image, const Recipe::Boot& wanted, const std::string& root_type,
                                     const BootLimits& limits) {
  BootFiles files;
  files.version = TRY(find_kernel(image, wanted.kernel));
  files.cmdline = wanted.cmdline;
  const std::uint64_t kernel_limit = std::min(limits.kernel, limits.total);
  std::string packed =
      TRY_AS(image.read_file(TRY(kernel_path(image, files.version)), kernel_limit), "cannot read the image's kernel");
  std::uint64_t budget = limits.total - packed.size();

  std::vector<std::string> names = guest_modules();
  names.push_back(root_type);
  names.insert(names.end(), wanted.modules.begin(), wanted.modules.end());
  const std::string folder = "/lib/modules/" + files.version;
  const auto paths = TRY(module_paths(image, folder, files.version, names));
  const auto modules = TRY(read_modules(image, folder, paths, limits, budget));
  std::ranges::transform(paths, std::back_inserter(files.modules), module_name_of);

  files.initrd = TRY(pack_initramfs(modules));
  files.initrd_unpacked = files.initrd.size();
  files.kernel = vmlinux_of(packed, limits.vmlinux).value_or(std::move(packed));
  files.kernel_sha256 = sha256_hex(files.kernel);
  files.initrd_sha256 = sha256_hex(files.initrd);
  files.ability = elf_ability(files.kernel);
  return files;
}

}  // namespace domsmith::boot
