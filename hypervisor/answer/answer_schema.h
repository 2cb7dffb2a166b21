// The description of an answer file, for its reader, its JSON Schema and its manual.
#pragma once

#include "imagebuild/recipe/schema.h"

namespace domsmith {

const Schema& answer_schema();

}  // namespace domsmith
