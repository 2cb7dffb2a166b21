// The folder of domain configs (/etc/xen): DIR/NAME.cfg and, for a guest that starts with the host, the link
// DIR/auto/NAME.cfg -> ../NAME.cfg (xendomains(8) starts what is linked there).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "provision/domain/spec.h"
#include "provision/domain/xl_config.h"

namespace domsmith {

// Writes DIR/NAME.cfg (and the autostart link, or its absence) so that it is there whole, durably, or not at all.
// A file of that name that domsmith did not write, or that belongs to a guest with another UUID: exists, and it stays
// as it is. One of the same guest's is replaced. Missing folders are made.
Result<void> put_config(const std::filesystem::path& directory, const DomainSpec& spec);

// The same for many, all or none: every text is checked before the first file is written; one flush of the file system
// and of the folder for all. On an Error none of the files that were new remains.
Result<void> put_configs(const std::filesystem::path& directory, std::span<const DomainSpec> specs);

// Removes link, file and what a crash may have left of a put_config. An absent one is fine; a file that is not
// domsmith's stays (exists).
Result<void> remove_config(const std::filesystem::path& directory, std::string_view name);
Result<void> remove_configs(const std::filesystem::path& directory, std::span<const std::string> names);

// The spec with `autostart` from the link. not_found; errors of parse_xl_config().
Result<DomainSpec> read_config(const std::filesystem::path& directory, std::string_view name);
// The bytes of DIR/NAME.cfg, for `guest config`.
Result<std::string> read_config_text(const std::filesystem::path& directory, std::string_view name);

Result<void> set_autostart(const std::filesystem::path& directory, std::string_view name, bool on);

// The facts of every *.cfg in the folder, domsmith's or not, sorted by file. A folder that is absent: none. Files that
// xl could not read either are left out.
Result<std::vector<XlConfigFacts>> scan_configs(const std::filesystem::path& directory);

std::filesystem::path config_path(const std::filesystem::path& directory, std::string_view name);

}  // namespace domsmith
