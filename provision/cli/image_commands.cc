// domsmith image list|show|sbom|diff|verify|export|import|remove
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "imagebuild/packages/host.h"
#include "imagebuild/recipe/parse.h"
#include "provision/cli/image_contents.h"
#include "provision/cli/site.h"
#include "provision/identity/clone_cost.h"
#include "provision/images/build_image.h"
#include "provision/images/import_disk.h"
#include "provision/images/make_image.h"
#include "provision/images/transfer.h"
#include "provision/images/verify.h"

namespace domsmith {

namespace {

struct ImageOptions {
  std::string name;
  std::string path;
  std::string rebuild;  // a recipe
  std::string lock;
  std::string format;
  std::string size;
  std::string other;  // diff: the second image
  bool packages = false;
};

std::string short_hash(const std::string& sha256) { return sha256.empty() ? "-" : sha256.substr(0, 12); }

Result<void> list_images(CliContext& cli) {
  Site site = TRY(Site::look(cli));
  Table table({{"NAME", Align::left, true},
               {"VERSION"},
               {"RELEASE"},
               {"SIZE", Align::right},
               {"USED", Align::right},
               {"GUESTS", Align::right},
               {"STATE"},
               {"STORE", Align::left, true}});
  nlohmann::json document{{"images", nlohmann::json::array()}};
  for (const ImageRecord& image : TRY(site.registry().list_images())) {
    const std::size_t guests = TRY(site.registry().guests_of_image(image.store, image.name)).size();
    document["images"].push_back(record_json(image));
    document["images"].back()["guests"] = guests;
    table.row({image.name, image.version, image.release, size_text(image.size), size_text(image.used),
               std::to_string(guests), std::string(state_text(image.state)), image.store});
  }
  return cli.output().answer(document, table, "no images yet; make one: domsmith build RECIPE\n");
}

std::string cost_text(const CloneCost& cost) {
  return fmt::format("writes {} of its own, {} of a thin pool ({} chunks of {})",
                     size_text(cost.blocks * CloneCost::block_bytes), size_text(cost.chunks * CloneCost::chunk_bytes),
                     cost.chunks, size_text(CloneCost::chunk_bytes));
}

Result<void> show_image(CliContext& cli, const ImageOptions& options) {
  if (options.packages) {
    return show_packages(cli, options.name);
  }
  Site site = TRY(Site::look(cli));
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  const ImageRecord image = TRY(look_at_image(site.place(), *store, options.name));
  const std::vector<std::string> guests = TRY(site.registry().guests_of_image(image.store, image.name));
  nlohmann::json document = record_json(image);
  document["guests"] = guests;
  const auto volume = store->open(image.volume, Access::read_only);
  const Result<CloneCost> cost = volume ? clone_cost(**volume) : std::unexpected(volume.error());
  document["clone_cost"] = nullptr;
  if (cost) {
    document["clone_cost"] = {{"written_bytes", cost->blocks * CloneCost::block_bytes},
                              {"bytes", cost->chunks * CloneCost::chunk_bytes},
                              {"chunk_bytes", CloneCost::chunk_bytes}};
  }
  const std::string text = fmt::format(
      "image     {} {}\nstore     {}\nsystem    {} {} {}, {} packages\nsize      {}, {} used\nmade      {}\n"
      "kernel    {} ({})\ninitramfs {}\ncmdline   {}\na clone   {}\nguests    {}\n",
      image.name, image.version, image.store, image.distribution, image.release, image.architecture, image.packages,
      size_text(image.size), size_text(image.used), utc_text(image.created),
      image.kernel_version.empty() ? "none" : image.kernel_version, short_hash(image.kernel_sha256),
      short_hash(image.initrd_sha256), image.cmdline, cost ? cost_text(*cost) : "cannot be made: " + cost.error().what,
      guests.empty() ? "none" : join(guests, " "));
  return cli.output().answer(document, text);
}

// The image again, from its recipe and its lock: are its bytes the same?
Result<VerifyCheck> check_rebuild(CliContext& cli, Site& site, VolumeStore& store, const ImageOptions& options) {
  const Settings settings = TRY(cli.settings());
  const Recipe recipe = TRY(load_recipe(TRY(recipe_path(settings, options.rebuild))));
  if (recipe.image.name != options.name) {
    return fail(ErrorCode::bad_input,
                fmt::format("the recipe makes an image '{}', not '{}'", recipe.image.name, options.name));
  }
  const std::filesystem::path lock =
      options.lock.empty() ? engine::lock_beside(recipe.file, recipe.image.name) : std::filesystem::path(options.lock);
  ImageBuildOptions how;
  how.layers = false;  // all of it anew
  how.lock = TRY(engine::load_lock(lock));
  const ImageBuildPlan plan = TRY(plan_image_build(recipe, TRY(packages::host_facts()), store));
  const auto differs = TRY(rebuild_and_compare(site.place(), store, plan, how, cli.progress()));
  return VerifyCheck{.what = "rebuild",
                     .good = !differs,
                     .found = differs ? fmt::format("differs from byte {} on", *differs) : "the same bytes"};
}

Result<void> verify_image_verb(CliContext& cli, const ImageOptions& options) {
  Site site = TRY(Site::open(cli));
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  const ImageRecord image = TRY(site.image(*store, options.name));
  Table table({{"CHECK"}, {"RESULT"}, {"FOUND", Align::left, true}});
  nlohmann::json document{{"image", image.name}, {"checks", nlohmann::json::array()}};
  bool good = true;
  std::vector<VerifyCheck> checks = TRY(verify_image(site.place(), *store, image));
  if (!options.rebuild.empty()) {
    checks.push_back(TRY(check_rebuild(cli, site, *store, options)));
  }
  for (const VerifyCheck& check : checks) {
    table.row({check.what, check.good ? "good" : "BAD", check.found});
    document["checks"].push_back({{"check", check.what}, {"good", check.good}, {"found", check.found}});
    good = good && check.good;
  }
  document["good"] = good;
  cli.set_exit_status(good ? 0 : 1);
  return cli.output().answer(document, table, "");
}

Result<void> export_image_verb(CliContext& cli, const ImageOptions& options) {
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  if (cli.plan_only()) {
    return cli.output().answer(
        {{"verb", "image export"}, {"image", options.name}, {"store", store->name()}, {"directory", options.path}},
        fmt::format("write {0}/{1}.img, {0}/kernel, {0}/initrd.img and {0}/{1}.json from {2}\n", options.path,
                    options.name, store->name()));
  }
  Site site = TRY(Site::open(cli));
  const ImageRecord image = TRY(site.image(*store, options.name));
  TRY(export_image(site.place(), *store, image, options.path, cli.progress()));
  return cli.output().answer({{"image", image.name}, {"directory", options.path}},
                             fmt::format("image {} is in {}\n", image.name, options.path));
}

Result<DiskImport> disk_import_of(const ImageOptions& options) {
  if (options.name.empty()) {
    return fail(ErrorCode::bad_input, "a disk image has no name of its own", "give it one: --name NAME");
  }
  DiskImport wanted{.path = options.path, .format = options.format, .name = options.name, .size = 0};
  if (!options.size.empty()) {
    const auto size = parse_size(options.size);
    if (!size) {
      return fail(ErrorCode::bad_input, fmt::format("bad size '{}'", options.size), "for example --size 4GiB");
    }
    wanted.size = *size;
  }
  return wanted;
}

Result<void> import_disk_verb(CliContext& cli, VolumeStore& store, const ImageOptions& options) {
  const DiskImport wanted = TRY(disk_import_of(options));
  if (cli.plan_only()) {
    return cli.output().answer(
        {{"verb", "image import"},
         {"from", wanted.path},
         {"format", wanted.format},
         {"image", wanted.name},
         {"size", wanted.size},
         {"store", store.name()}},
        fmt::format(
            "read the {} disk {} in libguestfs's virtual machine\nwrite its tree to an ext4 image {} in {}, {}\n"
            "make it boot as a Xen guest: fstab, console hvc0, kernel and initramfs\n",
            wanted.format, wanted.path, wanted.name, store.name(),
            wanted.size == 0 ? "as large as its file systems" : size_text(wanted.size)));
  }
  Site site = TRY(Site::open(cli));
  const ImageRecord image = TRY(import_disk(site.place(), store, wanted, cli.progress()));
  return cli.output().answer(record_json(image), fmt::format("golden image {} is in {}\n", image.name, image.store));
}

Result<void> import_image_verb(CliContext& cli, const ImageOptions& options) {
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  if (!options.format.empty()) {
    return import_disk_verb(cli, *store, options);
  }
  if (cli.plan_only()) {
    return cli.output().answer({{"verb", "image import"}, {"from", options.path}, {"store", store->name()}},
                               fmt::format("copy the image of {} into {}\n", options.path, store->name()));
  }
  Site site = TRY(Site::open(cli));
  const ImageRecord image = TRY(import_image(site.place(), *store, options.path, options.name, cli.progress()));
  return cli.output().answer(record_json(image), fmt::format("golden image {} is in {}\n", image.name, image.store));
}

Result<void> remove_image_verb(CliContext& cli, const ImageOptions& options) {
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  Site site = TRY(Site::open(cli));
  const ImageRecord image = TRY(site.image(*store, options.name));
  if (cli.plan_only()) {
    const std::vector<std::string> commands = store->plan_remove(std::array{image.volume});
    return cli.output().answer(
        {{"verb", "image remove"}, {"image", image.name}, {"store", image.store}, {"volume_commands", commands}},
        fmt::format("remove image {} from {}\n", image.name, image.store) + (commands.empty() ? "" : "  run: ") +
            join(commands, "\n  run: ") + (commands.empty() ? "" : "\n"));
  }
  TRY(remove_image(site.place(), *store, image.name));
  return cli.output().answer({{"removed", image.name}}, fmt::format("image {} is removed\n", image.name));
}

}  // namespace

void add_image_commands(CliContext& cli) {
  Verb image = cli.noun("image", "golden images");
  auto options = std::make_shared<ImageOptions>();
  cli.verb(image, "list", "the images of the registry", [&cli] { return list_images(cli); });
  Verb show = cli.verb(image, "show", "what is known of one", [&cli, options] { return show_image(cli, *options); });
  show.add_option("IMAGE", options->name, "its name").required();
  show.add_flag("--packages", options->packages, "its packages with their versions");
  Verb bill = cli.verb(image, "sbom", "its bill of materials: CycloneDX 1.5, JSON",
                       [&cli, options] { return show_bill(cli, options->name); });
  bill.add_option("IMAGE", options->name, "its name").required();
  Verb diff = cli.verb(image, "diff", "what differs between two: packages and files",
                       [&cli, options] { return diff_images(cli, options->name, options->other); });
  diff.add_option("BEFORE", options->name, "one image").required();
  diff.add_option("AFTER", options->other, "another one").required();
  Verb verify = cli.verb(image, "verify", "check volume, file system and boot files",
                         [&cli, options] { return verify_image_verb(cli, *options); });
  verify.add_option("IMAGE", options->name, "its name").required();
  verify
      .add_option("--rebuild", options->rebuild, "build it again from this recipe and its lock, and compare the bytes")
      .takes("RECIPE");
  verify.add_option("--lock", options->lock, "the lock for --rebuild; default: NAME.lock.toml beside the recipe")
      .takes("FILE");
  Verb out = cli.verb(
      image, "export", "write one to plain files", [&cli, options] { return export_image_verb(cli, *options); },
      VerbKind::changes);
  out.add_option("IMAGE", options->name, "its name").required();
  out.add_option("--output,-o", options->path, "the folder to write to").required();
  Verb in = cli.verb(
      image, "import", "take one from plain files", [&cli, options] { return import_image_verb(cli, *options); },
      VerbKind::changes);
  in.add_option("SOURCE", options->path, "a folder that export wrote, a raw image, or with --format any disk")
      .required();
  in.add_option("--name", options->name, "a name for it; default: its own");
  in.add_option("--format", options->format, "a disk of another system: raw or qcow2");
  in.add_option("--size", options->size, "with --format: the image's size; default: that of the disk's file systems");
  Verb remove = cli.verb(
      image, "remove", "remove one that no guest uses", [&cli, options] { return remove_image_verb(cli, *options); },
      VerbKind::changes);
  remove.add_option("IMAGE", options->name, "its name").required();
}

}  // namespace domsmith
