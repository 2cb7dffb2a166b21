// Where domsmith works when neither --root nor DOMSMITH_ROOT says: "/" for root, and for anyone else a folder of their
// own, so that images can be built and cloned into a folder store without being root.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace domsmith {

struct RootFacts {
  bool is_root = false;
  std::filesystem::path state_home;  // XDG_STATE_HOME; empty: not set (XDG Base Directory Specification 0.8)
  std::filesystem::path home;        // HOME; empty: not set
};

RootFacts root_facts();

// "/", or STATE_HOME/domsmith, or HOME/.local/state/domsmith. bad_input where none is known.
Result<std::filesystem::path> default_root(const RootFacts& facts);

}  // namespace domsmith
