#include "iso/grub.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "base/process.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t efi_image_size = 4ULL << 20;

Result<void> need_grub(const char* folder, const char* package) {
  std::error_code ignored;
  if (fs::exists(fs::path(folder) / "kernel.img", ignored)) {
    return {};
  }
  return fail(ErrorCode::not_found, fmt::format("GRUB's modules are not in {}", folder),
              fmt::format("apt-get install {}", package));
}

std::vector<std::string> modules_of(bool efi) {
  std::vector<std::string> modules{
      "normal",   "part_gpt", "part_msdos", "fat",        "iso9660",    "squash4",        "loopback",
      "lvm",      "mdraid1x", "diskfilter", "multiboot2", "search",     "search_fs_file", "serial",
      "terminal", "test",     "echo",       "loadenv",    "configfile", "chain",          "boot",
      "halt",     "reboot",   "minicmd",    "ls"};
  if (!efi) {
    modules.emplace_back("biosdisk");
  } else {
    modules.emplace_back("efi_gop");
  }
  return modules;
}

struct Image {
  std::string format;  // grub-mkimage(1) -O
  std::string prefix;
  std::string early;  // a script that runs first; "" for none
};

Result<void> make_image_file(const Image& image, const fs::path& out) {
  const bool efi = image.format == "x86_64-efi";
  TRY(need_grub(efi ? grub_efi_folder : grub_bios_folder, efi ? "grub-efi-amd64-bin" : "grub-pc-bin"));
  const TemporaryDirectory work = TRY(TemporaryDirectory::make());
  Command command{.argv = {TRY(find_program("grub-mkimage")), "-O", image.format, "-d",
                           efi ? grub_efi_folder : grub_bios_folder, "-p", image.prefix, "-o", out.string()},
                  .environment = {},
                  .working_directory = {}};
  if (!image.early.empty()) {
    TRY(write_file_atomic(work.path() / "early.cfg", image.early));
    command.argv.insert(command.argv.end(), {"-c", (work.path() / "early.cfg").string()});
  }
  for (std::string& module : modules_of(efi)) {
    command.argv.push_back(std::move(module));
  }
  TRY(make_directories(out.parent_path()));
  TRY_AS(run_checked(command), "cannot make GRUB's image");
  return {};
}

Image medium_image(std::string format) {
  return {.format = std::move(format),
          .prefix = "/boot/grub",
          .early = "search --file --set=root /domsmith/medium.json\nset prefix=($root)/boot/grub\n"};
}

// mtools(1) takes the time from the environment, and a serial number from us: the same bytes each time.
Result<void> mtool(std::vector<std::string> argv) {
  argv[0] = TRY(find_program(argv[0]));
  TRY(run_checked({.argv = std::move(argv),
                   .environment = {"SOURCE_DATE_EPOCH=0", "MTOOLS_SKIP_CHECK=1", "TZ=UTC"},
                   .working_directory = {}}));
  return {};
}

}  // namespace

Result<void> make_medium_images(const fs::path& bios, const fs::path& efi) {
  TRY(make_image_file(medium_image("i386-pc-eltorito"), bios));
  const TemporaryDirectory work = TRY(TemporaryDirectory::make());
  const std::string program = (work.path() / "BOOTX64.EFI").string();
  TRY(make_image_file(medium_image("x86_64-efi"), program));
  TRY(write_file_atomic(efi, std::string(efi_image_size, '\0')));
  TRY(mtool({"mformat", "-i", efi.string(), "-N", "444f4d53", "-v", "DOMSMITHEFI", "::"}));
  TRY(mtool({"mmd", "-i", efi.string(), "::EFI", "::EFI/BOOT"}));
  return mtool({"mcopy", "-i", efi.string(), program, "::EFI/BOOT/BOOTX64.EFI"});
}

Result<void> make_disk_images(const fs::path& folder) {
  TRY(make_image_file({.format = "i386-pc", .prefix = "(,gpt2)/grub", .early = {}}, folder / "core.img"));
  TRY(make_image_file({.format = "x86_64-efi", .prefix = "/grub", .early = {}}, folder / "BOOTX64.EFI"));
  return write_file_atomic(folder / "boot.img", TRY(read_file(fs::path(grub_bios_folder) / "boot.img")));
}

}  // namespace domsmith
