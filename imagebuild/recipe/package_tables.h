// The tables of a recipe that say where packages come from and which are installed: [distribution], [[repository]],
// [[pin]], [packages].
#pragma once

#include "imagebuild/recipe/schema.h"

namespace domsmith {

TableSchema distribution_table();
TableSchema repository_table();
TableSchema pin_table();
TableSchema packages_table();

}  // namespace domsmith
