// What LVM says when it refuses, as an Error with its code and what to do about it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "lvm-snapshots/lvm_library.h"

namespace domsmith {

// `headline`: what could not be done; LVM's lines become the causes. The code comes from LVM's sentences (2.03).
Error lvm_error(std::string headline, const LvmOutcome& outcome);

namespace lvm_refusal {
std::unexpected<Error> not_root(std::string_view store);
std::unexpected<Error> no_device_mapper(std::string_view store);
std::unexpected<Error> no_group(std::string_view group);
std::unexpected<Error> no_pool(std::string_view group, std::string_view pool);
std::unexpected<Error> not_a_pool(std::string_view group, std::string_view pool);
std::unexpected<Error> pool_full(std::string_view group, std::string_view pool, bool metadata, double percent);
std::unexpected<Error> metadata_area_full(std::string_view group, std::uint64_t needed, std::uint64_t free);
std::unexpected<Error> group_full(std::string_view group, std::uint64_t needed, std::uint64_t free);
std::unexpected<Error> not_ours(std::string_view group, std::string_view name);
}  // namespace lvm_refusal

}  // namespace domsmith
