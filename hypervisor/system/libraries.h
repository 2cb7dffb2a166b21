// Shared libraries that nothing in a slot needs any more.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/system/rules.h"
#include "hypervisor/system/slot_tree.h"

namespace domsmith {

// Where Debian has them on amd64.
inline constexpr std::string_view library_folder = "/usr/lib/x86_64-linux-gnu/";

// Removes what lies directly in the folder of shared libraries and is needed by no program, by no library that stays,
// and by no '!' of the rules (for what is opened at run time: dlopen(3)). Links to what goes, go too. The removed
// paths, sorted.
std::vector<std::string> drop_unneeded_libraries(SlotTree& tree, const LeftOut& rules);

// What programs and libraries of the tree need and the tree has not: "PROGRAM needs LIBRARY". For tests; the slot is
// refused with any.
std::vector<std::string> missing_libraries(const SlotTree& tree);

}  // namespace domsmith
