// What a templates/*.toml may say.
#pragma once

#include "imagebuild/recipe/schema.h"

namespace domsmith {

const Schema& template_schema();

}  // namespace domsmith
