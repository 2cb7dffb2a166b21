// A described document as TOML text and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "imagebuild/recipe/document.h"

namespace domsmith {

// Every key that has a value, in the schema's order. read_document() of it gives the same values.
std::string toml_text(const DocumentTable& root, const Schema& schema);

// {"image": {"name": …}, "user": [{…}]}: sizes and modes as integers, keys without a value left out.
nlohmann::json document_json(const DocumentTable& root, const Schema& schema);

// A TOML basic string, quoted and escaped.
std::string toml_string(std::string_view text);

}  // namespace domsmith
