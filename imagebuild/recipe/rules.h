// What one key of a recipe alone cannot tell: two users of one name, a file below a file, …
#pragma once

#include "imagebuild/recipe/document.h"

namespace domsmith {

void check_recipe(const Document& document, Problems& problems);

}  // namespace domsmith
