// Turns one member of an archive into an Entry, under limits.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "imagebuild/archive/handle.h"
#include "imagebuild/archive/tar.h"
#include "imagebuild/tree/entry.h"

namespace domsmith {

// "./usr//lib/" -> "usr/lib", "/" and "." -> "". bad_input for "", an absolute path, a "..", or what breaks a limit.
Result<std::string> normalised_path(std::string_view raw, const ArchiveLimits& limits);

// The path as the archive gives it, for messages: control bytes shown as '?'.
std::string shown_path(std::string_view raw);

Result<Entry> to_entry(struct archive_entry* member, const ArchiveLimits& limits);

}  // namespace domsmith
