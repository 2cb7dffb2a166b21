// domsmith image sbom|diff, and image show --packages: what is in an image
#include "provision/cli/image_contents.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/images/diff.h"
#include "provision/images/make_image.h"
#include "provision/images/sbom.h"

namespace domsmith {

namespace {

// An image's file system, open to be read.
struct OpenImage {
  ImageRecord record;
  std::unique_ptr<BlockTarget> target;
  std::unique_ptr<extfs::FileSystem> files;
};

Result<OpenImage> open_image(Site& site, VolumeStore& store, const std::string& name) {
  OpenImage image{.record = TRY(look_at_image(site.place(), store, name)), .target = nullptr, .files = nullptr};
  image.target = TRY(store.open(image.record.volume, Access::read_only));
  image.files = std::make_unique<extfs::FileSystem>(TRY(extfs::FileSystem::open(*image.target, Access::read_only)));
  return image;
}

nlohmann::json packages_json(const std::vector<InstalledPackage>& packages) {
  nlohmann::json list = nlohmann::json::array();
  for (const InstalledPackage& package : packages) {
    list.push_back({{"name", package.name}, {"version", package.version}, {"architecture", package.architecture}});
  }
  return list;
}

}  // namespace

Result<void> show_packages(CliContext& cli, const std::string& name) {
  Site site = TRY(Site::look(cli));
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  const OpenImage image = TRY(open_image(site, *store, name));
  const Installed installed = TRY(installed_in(*image.files));
  Table table({{"PACKAGE", Align::left, true}, {"VERSION", Align::left, true}, {"ARCHITECTURE"}});
  for (const InstalledPackage& package : installed.packages) {
    table.row({package.name, package.version, package.architecture});
  }
  return cli.output().answer({{"image", image.record.name}, {"packages", packages_json(installed.packages)}}, table,
                             "no package manager that is known has installed anything\n");
}

Result<void> show_bill(CliContext& cli, const std::string& name) {
  Site site = TRY(Site::look(cli));
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  const OpenImage image = TRY(open_image(site, *store, name));
  const nlohmann::json bill = bill_of_materials(image.record, TRY(installed_in(*image.files)));
  return cli.output().answer(bill, json_text(bill));
}

Result<void> diff_images(CliContext& cli, const std::string& before, const std::string& after) {
  Site site = TRY(Site::look(cli));
  const std::unique_ptr<VolumeStore> store = TRY(cli.open_store());
  const OpenImage left = TRY(open_image(site, *store, before));
  const OpenImage right = TRY(open_image(site, *store, after));
  const auto packages =
      diff_packages(TRY(installed_in(*left.files)).packages, TRY(installed_in(*right.files)).packages);
  const auto files = TRY(diff_files(*left.files, *right.files));
  nlohmann::json document{
      {"before", before}, {"after", after}, {"packages", nlohmann::json::array()}, {"files", nlohmann::json::array()}};
  std::string text;
  for (const PackageChange& change : packages) {
    document["packages"].push_back({{"name", change.name}, {"before", change.before}, {"after", change.after}});
    text += fmt::format("package {}: {} -> {}\n", change.name, change.before.empty() ? "none" : change.before,
                        change.after.empty() ? "none" : change.after);
  }
  for (const FileChange& change : files) {
    document["files"].push_back({{"path", change.path}, {"change", change.what}});
    text += fmt::format("{}: {}\n", change.path, change.what);
  }
  text += fmt::format("{} packages and {} files differ\n", packages.size(), files.size());
  return cli.output().answer(document, text);
}

}  // namespace domsmith
