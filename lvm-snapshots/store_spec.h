// What `--store` says: "lvm:VG/POOL", "lvm:VG", "dir:PATH", "memory:NAME".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace domsmith {

enum class StoreKind { lvm, folder, memory };

struct StoreSpec {
  StoreKind kind = StoreKind::memory;
  std::string path;   // folder: absolute, without "." and ".."
  std::string group;  // lvm: the volume group
  std::string pool;   // lvm: the thin pool; empty: classic volumes and snapshots
  std::string name;   // memory

  // As the user writes it, the folder made absolute.
  [[nodiscard]] std::string text() const;
};

// bad_input, with the forms there are as the remedy. Names of groups and pools are those that lvm(8) VALID NAMES
// allows.
Result<StoreSpec> parse_store_spec(std::string_view text);

}  // namespace domsmith
