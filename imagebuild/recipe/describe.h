// A schema for people and for editors.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "imagebuild/recipe/schema.h"

namespace domsmith {

// JSON Schema, draft 2020-12 (https://json-schema.org/draft/2020-12/json-schema-core).
nlohmann::json json_schema(const Schema& schema);

// A Markdown table a TOML table: key, type, default, what it means.
std::string markdown_reference(const Schema& schema);

}  // namespace domsmith
