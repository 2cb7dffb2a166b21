// What is looked at of a foreign disk image before a program opens it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace domsmith::foreign {

constexpr std::size_t qcow2_header_bytes = 104;

// The beginning of a qcow2 file (QEMU, docs/interop/qcow2.txt). bad_input where it is none, or where it names another
// file as part of itself (a backing file, a data file): QEMU would open that one, which may be any of the host's.
Result<void> check_qcow2_header(std::string_view header);

// `format` is "raw" or "qcow2". The file exists, is a regular one or a block device, and is what `format` says.
Result<void> check_disk(const std::string& path, const std::string& format);

}  // namespace domsmith::foreign
