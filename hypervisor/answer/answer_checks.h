// What is right in one value of an answer file, and what one key alone cannot tell.
#pragma once

#include <optional>
#include <string_view>

#include "imagebuild/recipe/document.h"

namespace domsmith::answer_checks {

std::optional<Complaint> size_range(std::string_view text);
std::optional<Complaint> mac(std::string_view text);
std::optional<Complaint> address_with_prefix(std::string_view text);  // "192.0.2.10/24"
std::optional<Complaint> address(std::string_view text);
std::optional<Complaint> ssh_key(std::string_view text);
std::optional<Complaint> bridge(std::string_view text);
std::optional<Complaint> cpu_list(std::string_view text);     // xl.cfg(5), "cpus"
std::optional<Complaint> url(std::string_view text);          // http://
std::optional<Complaint> volume_name(std::string_view text);  // lvm(8), "Valid names"

void whole(const Document& document, Problems& problems);

}  // namespace domsmith::answer_checks
