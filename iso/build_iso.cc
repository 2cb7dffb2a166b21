#include "iso/build_iso.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json_text.h"
#include "base/process.h"
#include "hypervisor/boot/menu.h"
#include "hypervisor/system/squashfs.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/packages/host.h"
#include "imagebuild/recipe/parse.h"
#include "iso/grub.h"
#include "provision/images/build_image.h"
#include "provision/images/transfer.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

// 2024-01-01: times in the file system of the medium are the same whenever it is made.
constexpr const char* epoch = "SOURCE_DATE_EPOCH=1704067200";

// Of another recipe or other packages than last time: the image that the store kept is of no more use.
Result<ImageRecord> built(Workplace& place, VolumeStore& store, const fs::path& recipe_file, Progress& progress) {
  const Recipe recipe = TRY(load_recipe(recipe_file));
  const ImageBuildPlan plan = TRY(plan_image_build(recipe, TRY(packages::host_facts()), store));
  auto image = build_image(place, store, plan, {}, progress);
  if (!image && image.error().code == ErrorCode::exists) {
    TRY(remove_image(place, store, recipe.image.name));
    image = build_image(place, store, plan, {}, progress);
  }
  return TRY_AS(std::move(image), fmt::format("cannot build {}", recipe_file.string())).record;
}

// zstd: the installer unpacks it on a slow machine, too. A level that takes seconds costs a few MiB.
Result<void> pack_image(Workplace& place, VolumeStore& store, const ImageRecord& image, const fs::path& out,
                        Progress& progress) {
  const TemporaryDirectory work = TRY(TemporaryDirectory::make());
  const fs::path all = work.path() / "image";
  TRY(export_image(place, store, image, all, progress));
  // Without what this store alone knows of it: the same recipe gives the same medium anywhere.
  nlohmann::json facts = record_json(image);
  for (const char* key : {"store", "volume", "created", "state", "operation"}) {
    facts.erase(key);
  }
  TRY(write_file_atomic(all / (image.name + ".json"), json_text(facts)));
  TRY(make_directories(out.parent_path()));
  const Command pack =
      TRY(squashfs_command(all.string(), out, {"-comp", "zstd", "-Xcompression-level", "6", "-all-root", "-noappend"}));
  TRY_AS(run_checked(pack), fmt::format("cannot pack the image {}", image.name));
  return {};
}

Result<void> write_medium_file(const fs::path& tree, const IsoFacts& facts) {
  nlohmann::json document{{"schema", 1},
                          {"slot",
                           {{"sha256", facts.slot.sha256},
                            {"size", facts.slot.size},
                            {"xen", facts.slot.xen_version},
                            {"kernel", facts.slot.kernel_version},
                            {"packages", facts.slot.packages}}},
                          {"images", nlohmann::json::object()}};
  for (const std::string& name : facts.images) {
    document["images"][name] = {{"sha256", TRY(sha256_of_file(tree / "domsmith/images" / (name + ".squashfs")))}};
  }
  return write_file_atomic(tree / "domsmith/medium.json", json_text(document));
}

// xorriso(1) in its mkisofs clothes. MBR code, El Torito for BIOS, an EFI system partition that is El Torito's second
// image too.
Result<void> write_iso(const fs::path& tree, const fs::path& output) {
  const fs::path fresh = output.string() + ".new";
  TRY(remove_file(fresh));
  TRY_AS(run_checked({.argv = {TRY(find_program("xorriso")),
                               "-as",
                               "mkisofs",
                               "-quiet",
                               "-r",
                               "-J",
                               "-V",
                               "DOMSMITH_MEDIUM",
                               "-o",
                               fresh.string(),
                               "--set_all_file_dates",
                               "2024010100000000",
                               "--grub2-mbr",
                               std::string(grub_bios_folder) + "/boot_hybrid.img",
                               "--protective-msdos-label",
                               "-partition_cyl_align",
                               "off",
                               "-partition_offset",
                               "16",
                               "-b",
                               "boot/grub/bios.img",
                               "-no-emul-boot",
                               "-boot-load-size",
                               "4",
                               "-boot-info-table",
                               "--grub2-boot-info",
                               "-eltorito-alt-boot",
                               "-append_partition",
                               "2",
                               "0xef",
                               (tree.parent_path() / "efi.img").string(),
                               "-appended_part_as_gpt",
                               "-e",
                               "--interval:appended_partition_2:all::",
                               "-no-emul-boot",
                               tree.string()},
                      .environment = {epoch},
                      .working_directory = {}}),
         "cannot write the ISO");
  std::error_code error;
  fs::rename(fresh, output, error);
  return error ? fail(ErrorCode::failed, fmt::format("cannot put {} in place", output.string())) : Result<void>();
}

Result<void> add_answer(const IsoInputs& inputs, const fs::path& tree, MediumMenu& menu) {
  if (inputs.answer.empty()) {
    menu.xen.serial = "com1";
    return {};
  }
  menu.has_answer = true;
  menu.xen = TRY(load_answer(inputs.answer)).xen;
  menu.xen.dom0_options.clear();
  return write_file_atomic(tree / "domsmith/answer.toml", TRY(read_file(inputs.answer)));
}

}  // namespace

Result<SlotFacts> build_slot(Workplace& place, VolumeStore& store, const IsoInputs& inputs, const fs::path& output,
                             Progress& progress) {
  const fs::path folder = inputs.data / "hypervisor";
  const SystemRules rules = TRY(load_rules(folder));
  const ImageRecord image = TRY(built(place, store, folder / "host.toml", progress));
  progress.begin("slot");
  const std::unique_ptr<BlockTarget> volume = TRY(store.open(image.volume, Access::read_only));
  extfs::FileSystem system = TRY(extfs::FileSystem::open(*volume, Access::read_only));
  ReadySlot slot =
      TRY(make_slot_tree(system, rules, {.program = inputs.program, .templates = inputs.data / "templates"}));
  TRY(make_directories(output.parent_path()));
  SlotFacts facts = TRY(write_slot(std::move(slot), output, inputs.anew ? fs::path() : place.state / "slot"));
  progress.end("slot");
  return facts;
}

Result<IsoFacts> build_iso(Workplace& place, VolumeStore& store, const IsoInputs& inputs, const fs::path& output,
                           Progress& progress) {
  const TemporaryDirectory work = TRY(TemporaryDirectory::make());
  const fs::path tree = work.path() / "tree";
  IsoFacts facts;
  MediumMenu menu;
  TRY(add_answer(inputs, tree, menu));
  facts.slot = TRY(build_slot(place, store, inputs, tree / "domsmith/slot.squashfs", progress));
  for (const fs::path& recipe : inputs.recipes) {
    const ImageRecord image = TRY(built(place, store, recipe, progress));
    TRY(pack_image(place, store, image, tree / "domsmith/images" / (image.name + ".squashfs"), progress));
    facts.images.push_back(image.name);
  }
  progress.begin("medium");
  TRY(make_disk_images(tree / "domsmith/boot"));
  TRY(make_medium_images(tree / "boot/grub/bios.img", work.path() / "efi.img"));
  TRY(write_file_atomic(tree / "boot/grub/grub.cfg", medium_menu(menu)));
  TRY(write_medium_file(tree, facts));
  TRY(write_iso(tree, output));
  facts.sha256 = TRY(sha256_of_file(output));
  facts.size = fs::file_size(output);
  progress.end("medium");
  return facts;
}

}  // namespace domsmith
