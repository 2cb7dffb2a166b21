// What a program needs to be loaded: its interpreter and its shared libraries (ld.so(8), elf(5)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

struct ElfNeeds {
  std::string interpreter;             // PT_INTERP; "" for a library
  std::vector<std::string> libraries;  // DT_NEEDED
};
// Of a 64-bit little-endian ELF file; bad_input for anything else.
Result<ElfNeeds> elf_needs(std::string_view bytes);

}  // namespace domsmith
