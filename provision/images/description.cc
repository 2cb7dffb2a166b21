#include "provision/images/description.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/text.h"
#include "imagebuild/extfs/filesystem.h"
#include "imagebuild/recipe/host.h"

namespace domsmith {

namespace {
constexpr std::string_view folder = "/usr/lib/domsmith";
constexpr std::string_view file = "/usr/lib/domsmith/image.json";
constexpr std::uint64_t longest = 1U << 20;
}  // namespace

bool ImageDescription::operator==(const ImageDescription& other) const {
  return description_text(*this) == description_text(other);
}

ImageDescription describe_image(const Recipe& recipe, std::string recipe_sha256) {
  return {recipe.image.name,
          recipe.image.version,
          recipe.distribution.name,
          recipe.distribution.release,
          recipe.image.architecture,
          std::move(recipe_sha256),
          {},
          recipe.boot};
}

std::string description_text(const ImageDescription& description) {
  const nlohmann::json json{{"schema", 1},
                            {"name", description.name},
                            {"version", description.version},
                            {"distribution", description.distribution},
                            {"release", description.release},
                            {"architecture", description.architecture},
                            {"recipe_sha256", description.recipe_sha256},
                            {"packages_sha256", description.packages_sha256},
                            {"boot",
                             {{"kernel", description.boot.kernel},
                              {"cmdline", description.boot.cmdline},
                              {"modules", description.boot.modules}}}};
  return json_text(json);
}

Result<ImageDescription> parse_description(const std::string& text) try {
  const nlohmann::json json = nlohmann::json::parse(text);
  if (json.at("schema").get<int>() != 1) {
    return fail(ErrorCode::unsupported, fmt::format("{} was written by a newer domsmith", file));
  }
  ImageDescription description;
  json.at("name").get_to(description.name);
  TRY(check_name("name of an image", description.name));
  json.at("version").get_to(description.version);
  json.at("distribution").get_to(description.distribution);
  json.at("release").get_to(description.release);
  json.at("architecture").get_to(description.architecture);
  json.at("recipe_sha256").get_to(description.recipe_sha256);
  description.packages_sha256 = json.value("packages_sha256", "");
  const nlohmann::json& boot = json.at("boot");
  boot.at("kernel").get_to(description.boot.kernel);
  boot.at("cmdline").get_to(description.boot.cmdline);
  boot.at("modules").get_to(description.boot.modules);
  return description;
} catch (const nlohmann::json::exception& error) {
  Error damage;
  damage.what = error.what();
  return wrap(std::move(damage), fmt::format("the image's {} is damaged", file));
}

Result<void> name_system(extfs::FileSystem& image, ImageDescription& description) {
  description.distribution = "linux";
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    if (!TRY(image.exists(path))) {
      continue;
    }
    const HostRelease said = parse_os_release(TRY(image.read_file(path, longest)));
    if (!said.id.empty()) {
      description.distribution = said.id;
      description.release = said.codename.empty() ? said.version : said.codename;
    }
    break;
  }
  return {};
}

Result<void> write_description(extfs::FileSystem& image, const ImageDescription& description) {
  TRY(image.make_directories(folder));
  return image.write_file(file, description_text(description));
}

Result<ImageDescription> read_description(extfs::FileSystem& image) {
  auto text = image.read_file(file, longest);
  if (!text && text.error().code == ErrorCode::not_found) {
    return fail(ErrorCode::not_found, fmt::format("it holds no {}, so domsmith did not build it", file));
  }
  return parse_description(TRY(std::move(text)));
}

}  // namespace domsmith
