// What guests have changed, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "provision/cli/table.h"
#include "provision/guests/changes_report.h"

namespace domsmith {

nlohmann::json changes_json(std::span<const GuestChanges> changes);
Table changes_table(std::span<const GuestChanges> changes);

}  // namespace domsmith
