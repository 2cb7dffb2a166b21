#include "hypervisor/system/slot.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <future>
#include <set>

#include "base/crypto.h"
#include "base/file.h"
#include "base/little_endian.h"
#include "base/process.h"
#include "base/text.h"
#include "hypervisor/system/initramfs.h"
#include "hypervisor/system/libraries.h"
#include "hypervisor/system/modules.h"
#include "hypervisor/system/squashfs.h"
#include "hypervisor/system/tar_text.h"
#include "imagebuild/archive/decompress.h"
#include "imagebuild/boot/kernel_ability.h"
#include "imagebuild/build.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t boot_limit = 128ULL << 20;
constexpr std::uint64_t text_limit = 64ULL << 20;
constexpr std::uint64_t slot_limit = 1ULL << 30;

// The one file /boot/PREFIX*SUFFIX; of several the last by name.
Result<std::string> boot_file(extfs::FileSystem& image, std::string_view prefix, std::string_view suffix,
                              std::string_view package) {
  std::string found;
  for (const extfs::DirectoryItem& item : TRY(image.list("/boot"))) {
    if (item.type == EntryType::regular && item.name.starts_with(prefix) && item.name.ends_with(suffix)) {
      found = item.name;
    }
  }
  if (found.empty()) {
    return fail(ErrorCode::not_found, fmt::format("the image has no /boot/{}*{}", prefix, suffix),
                fmt::format("name {} in the recipe's packages", package));
  }
  return found;
}

Result<std::string> unpacked_kernel(const std::string& kernel) {
  if (auto vmlinux = boot::vmlinux_of(kernel, boot_limit); vmlinux) {
    return std::move(*vmlinux);
  }
  return fail(ErrorCode::bad_input, "the kernel is packed in a way that domsmith does not read",
              "name another kernel in the recipe");
}

// Xen unpacks the kernel at each start; Debian's xz takes it eight times as long as zstd. Without the bzImage's
// envelope: what unpacks is found by its first bytes, and its size stands behind it, as the kernel's own build leaves
// it (xen/common/decompress.c; xen/arch/x86/bzimage.c, output_length()).
Result<std::string> kernel_for_xen(const std::string& vmlinux) {
  std::string packed = TRY(compress(vmlinux, Compression::zstd));
  return packed + little_endian(vmlinux.size(), 4);
}

// To pack these two is half of a slot's work: beside one another. zstd: the kernel's xz reads no CRC64.
Result<void> pack_boot_files(ReadySlot& slot) {
  auto kernel = std::async(std::launch::async, kernel_for_xen, std::cref(slot.kernel));
  auto initramfs = compress(slot.initramfs, Compression::zstd);
  put_file(slot.tree, "/boot/kernel", TRY(kernel.get()));
  put_file(slot.tree, "/boot/initrd.img", TRY(std::move(initramfs)));
  return {};
}

Result<void> add_boot_files(extfs::FileSystem& image, const SystemRules& rules, ReadySlot& slot) {
  constexpr std::string_view kernel_prefix = "vmlinuz-";
  constexpr std::string_view xen_prefix = "xen-";
  const std::string kernel = TRY(boot_file(image, kernel_prefix, "", "linux-image-amd64"));
  const std::string xen = TRY(boot_file(image, xen_prefix, "-amd64.gz", "xen-hypervisor-4.17-amd64"));
  slot.facts.kernel_version = kernel.substr(kernel_prefix.size());
  slot.facts.xen_version = xen.substr(xen_prefix.size(), xen.rfind("-amd64") - xen_prefix.size());
  const EarlyModules early = TRY(add_modules(slot.tree, image, slot.facts.kernel_version, rules.modules));
  put_file(slot.tree, "/boot/xen.gz", TRY(image.read_file("/boot/" + xen, boot_limit)));
  slot.kernel = TRY(unpacked_kernel(TRY(image.read_file("/boot/" + kernel, boot_limit))));
  slot.initramfs = TRY(make_host_initramfs(slot.tree, early));
  return {};
}

// Where a path is behind the merged /usr: dpkg's lists have it as the package does.
std::string behind_merged_usr(const std::string& path) {
  for (const std::string_view folder : {"/bin/", "/sbin/", "/lib/", "/lib64/"}) {
    if (path.starts_with(folder)) {
      return "/usr" + path;
    }
  }
  return path;
}

// dpkg's lists name the folders above each file, too: those are everybody's.
std::set<std::string, std::less<>> files_of_list(std::string_view list) {
  std::set<std::string> paths;
  for (const std::string& path : split_lines(list)) {
    paths.insert(path);
  }
  std::set<std::string, std::less<>> files;
  for (const std::string& path : paths) {
    const auto below = paths.lower_bound(path + "/");
    if (path.starts_with('/') && path != "/." && (below == paths.end() || !below->starts_with(path + "/"))) {
      files.insert(behind_merged_usr(path));
    }
  }
  return files;
}

Result<PackageFiles> package_files(extfs::FileSystem& image) {
  constexpr const char* info = "/var/lib/dpkg/info";
  PackageFiles packages;
  for (const extfs::DirectoryItem& item : TRY(image.list(info))) {
    if (!item.name.ends_with(".list")) {
      continue;
    }
    packages[item.name.substr(0, std::min(item.name.find(':'), item.name.size() - 5))] =
        files_of_list(TRY(image.read_file(fmt::format("{}/{}", info, item.name), text_limit)));
  }
  return packages;
}

// A package counts when one of its files (no folder) is in the tree.
Result<std::map<std::string, std::string>> packages_of(extfs::FileSystem& image, const PackageFiles& packages,
                                                       const SlotTree& tree) {
  std::map<std::string, std::string> versions;
  for (const InstalledPackage& package : installed_packages(TRY(image.read_file("/var/lib/dpkg/status", text_limit)))) {
    versions[package.name] = package.version;
  }
  std::map<std::string, std::string> present;
  for (const auto& [name, files] : packages) {
    if (std::ranges::any_of(files, [&](const std::string& path) {
          const auto found = tree.find(path);
          return found != tree.end() && found->second.type != EntryType::directory;
        })) {
      present[name] = versions[name];
    }
  }
  return present;
}

Result<std::string> stripped(const fs::path& program) {
  const TemporaryDirectory work = TRY(TemporaryDirectory::make());
  const fs::path out = work.path() / "program";
  TRY(run_checked({.argv = {TRY(find_program("strip")), "--strip-all", "-o", out.string(), program.string()},
                   .environment = {},
                   .working_directory = {}}));
  return read_file(out, boot_limit);
}

Result<void> add_extras(SlotTree& tree, const SlotExtras& extras) {
  put_file(tree, "/usr/bin/domsmith", TRY_AS(stripped(extras.program), "cannot put domsmith into the slot"), 0755);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(extras.templates, error)) {
    if (entry.path().extension() == ".toml") {
      put_file(tree, "/usr/share/domsmith/templates/" + entry.path().filename().string(), TRY(read_file(entry.path())));
    }
  }
  if (error) {
    return fail(ErrorCode::not_found, fmt::format("cannot read the templates in {}", extras.templates.string()));
  }
  return {};
}

}  // namespace

Result<ReadySlot> make_slot_tree(extfs::FileSystem& image, const SystemRules& rules, const SlotExtras& extras) {
  const PackageFiles packages = TRY(package_files(image));
  const LeftOut left_out = TRY(rules.left_out.for_packages(packages));
  ReadySlot slot{.tree = TRY(read_slot_tree(image, left_out)), .kernel = {}, .initramfs = {}, .facts = {}};
  TRY(add_extras(slot.tree, extras));
  drop_unneeded_libraries(slot.tree, left_out);
  if (const auto missing = missing_libraries(slot.tree); !missing.empty()) {
    return fail(ErrorCode::not_found, fmt::format("the slot would not run: {}", join(missing, "; ")),
                "name the library's package in the recipe, or leave the program out, too");
  }
  TRY(add_boot_files(image, rules, slot));
  slot.facts.packages = TRY(packages_of(image, packages, slot.tree));
  slot.facts.unpacked = slot.kernel.size() + slot.initramfs.size();
  for (const auto& [path, file] : slot.tree) {
    slot.facts.unpacked += file.content.size();
  }
  return slot;
}

namespace {

// LZO: of what GRUB can read, too, the one that unpacks fastest; gzip is a tenth smaller and takes dom0 three times the
// work, at each start and for each program that is not in memory.
Result<void> pack_slot(ReadySlot slot, const fs::path& file) {
  TRY(pack_boot_files(slot));
  const Command pack =
      TRY(squashfs_command("-", file, {"-tar", "-comp", "lzo", "-root-uid", "0", "-root-gid", "0", "-exit-on-error"}));
  TRY_AS(run_checked(pack, {.input = tar_of(slot.tree)}), "cannot pack the slot");
  return {};
}

// Of all that goes in, and of the program that packs.
Result<std::string> name_of_kept(const ReadySlot& slot) {
  Sha256 digest;
  for (const std::string& part : {tar_of(slot.tree), slot.kernel, slot.initramfs}) {
    digest.update(fmt::format("{} ", part.size()));
    digest.update(part);
  }
  std::error_code error;
  const fs::path packer = TRY(find_program("mksquashfs"));
  digest.update(fmt::format("{} {}", fs::file_size(packer, error),
                            fs::last_write_time(packer, error).time_since_epoch().count()));
  return digest.hex() + ".squashfs";
}

// One slot is as large as everything else that an installation keeps: only the last is.
Result<void> keep(const fs::path& file, const fs::path& kept, const std::string& name) {
  std::error_code ignored;
  fs::remove_all(kept, ignored);
  return write_file_atomic(kept / name, TRY(read_file(file, slot_limit)));
}

}  // namespace

Result<SlotFacts> write_slot(ReadySlot slot, const fs::path& file, const fs::path& kept) {
  TRY(remove_file(file));
  SlotFacts facts = slot.facts;
  const std::string name = kept.empty() ? std::string() : TRY(name_of_kept(slot));
  std::error_code error;
  if (name.empty() || !fs::copy_file(kept / name, file, error)) {
    TRY(remove_file(file));
    TRY(pack_slot(std::move(slot), file));
    TRY(name.empty() ? Result<void>() : keep(file, kept, name));
  }
  facts.size = fs::file_size(file);
  facts.sha256 = TRY(sha256_of_file(file));
  return facts;
}

}  // namespace domsmith
