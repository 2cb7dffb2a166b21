// The rules that every store keeps, and the sentences in which all of them refuse.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lvm-snapshots/store.h"

namespace domsmith::store_rules {

// Valid and each named once; bad_input otherwise.
Result<void> check_names(std::span<const std::string> names);
Result<void> check_new(std::string_view name, std::uint64_t size);

std::unexpected<Error> absent(std::string_view store, std::string_view name);
std::unexpected<Error> taken(std::string_view store, std::string_view name);
std::unexpected<Error> in_use(std::string_view name);
std::unexpected<Error> is_fresh(std::string_view name);
std::unexpected<Error> golden_is_read_only(std::string_view name);
std::unexpected<Error> golden_has_clones(std::string_view name, std::span<const std::string> clones);

Result<void> check_origin(std::string_view name, VolumeKind kind);  // only golden volumes are cloned
Result<void> check_is_clone(std::string_view name, VolumeKind kind,
                            std::string_view verb);                    // "be reset", "be activated"
Result<void> check_adoptable(std::string_view name, VolumeKind kind);  // staging alone
Result<void> check_sealable(std::string_view name, VolumeKind kind);   // a clone is none

std::string_view kind_text(VolumeKind kind);  // "an unfinished image", "a golden image", "a clone"

}  // namespace domsmith::store_rules
