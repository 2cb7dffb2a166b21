// A bill of materials of an image: CycloneDX 1.5 as JSON (https://cyclonedx.org/docs/1.5/json/).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "imagebuild/build.h"
#include "provision/registry/records.h"

namespace domsmith {

// One component for each package, named by its package URL (purl): "pkg:deb/debian/curl@7.88.1-10?arch=amd64". The same
// image gives the same bytes.
nlohmann::json bill_of_materials(const ImageRecord& image, const Installed& installed);

std::string package_url(const ImageRecord& image, const std::string& kind, const InstalledPackage& package);

}  // namespace domsmith
