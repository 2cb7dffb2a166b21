#include "provision/images/sbom.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace domsmith {

namespace {

// purl-spec: all but letters, digits and ".-_~" is percent-encoded.
std::string encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view(".-_~").contains(c);
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

}  // namespace

std::string package_url(const ImageRecord& image, const std::string& kind, const InstalledPackage& package) {
  const std::string vendor = image.distribution.empty() ? "linux" : image.distribution;
  std::string url = fmt::format("pkg:{}/{}/{}@{}?arch={}", kind, encoded(vendor), encoded(package.name),
                                encoded(package.version), encoded(package.architecture));
  if (!image.release.empty()) {
    url += fmt::format("&distro={}-{}", encoded(vendor), encoded(image.release));
  }
  return url;
}

nlohmann::json bill_of_materials(const ImageRecord& image, const Installed& installed) {
  nlohmann::json components = nlohmann::json::array();
  for (const InstalledPackage& package : installed.packages) {
    const std::string url = package_url(image, installed.kind, package);
    components.push_back(
        {{"type", "library"}, {"bom-ref", url}, {"name", package.name}, {"version", package.version}, {"purl", url}});
  }
  nlohmann::json properties{{{"name", "domsmith:distribution"}, {"value", image.distribution}},
                            {{"name", "domsmith:release"}, {"value", image.release}},
                            {{"name", "domsmith:recipe-sha256"}, {"value", image.recipe_sha256}},
                            {{"name", "domsmith:kernel"}, {"value", image.kernel_version}}};
  for (const std::string& source : installed.sources) {
    properties.push_back({{"name", "domsmith:apt-source"}, {"value", source}});
  }
  return {{"$schema", "http://cyclonedx.org/schema/bom-1.5.schema.json"},
          {"bomFormat", "CycloneDX"},
          {"specVersion", "1.5"},
          {"serialNumber", "urn:uuid:" + image.filesystem_uuid},
          {"version", 1},
          {"metadata",
           {{"timestamp", utc_text(image.created)},
            {"tools", {{"components", {{{"type", "application"}, {"name", "domsmith"}}}}}},
            {"component",
             {{"type", "operating-system"},
              {"name", image.name},
              {"version", image.version},
              {"properties", std::move(properties)}}}}},
          {"components", std::move(components)}};
}

}  // namespace domsmith
