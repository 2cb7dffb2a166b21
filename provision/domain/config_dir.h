// The folder of domain configs (/etc/xen): DIR/NAME.cfg and, for a guest that starts with the host, the link
// DIR/auto/NAME.cfg -> ../NAME.cfg (the xendomains service starts what stands there).
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

// Writes DIR/NAME.cfg (and makes or removes the autostart link) so that it is there whole and durably, or not at all.
// exists: a file or link of that name is there which domsmith did not write or which is a guest's with another UUID;
// it stays as it is. The same guest's own is replaced. Missing folders are made.
Result<void> put_config(const std::filesystem::path& directory, const DomainSpec& spec);

// The same for many, all or none: every text is checked before the first file is written, and there is one flush for
// all. On an Error the folder is as it was. What a crash leaves, remove_configs() takes away.
Result<void> put_configs(const std::filesystem::path& directory, std::span<const DomainSpec> specs);

struct ConfigOwner {
  std::string name;
  std::string uuid;  // empty: whichever guest's
};

// Removes link, file and what a crash may have left of a put_config. An absent one is fine, and so is a file that is
// not this guest's or not domsmith's: it stays. So an undo can be repeated and never takes another's file.
Result<void> remove_configs(const std::filesystem::path& directory, std::span<const ConfigOwner> owners);
Result<void> remove_configs(const std::filesystem::path& directory, std::span<const std::string> names);
Result<void> remove_config(const std::filesystem::path& directory, std::string_view name, std::string_view uuid = {});

// The spec with `autostart` from the link. not_found; errors of parse_xl_config().
Result<DomainSpec> read_config(const std::filesystem::path& directory, std::string_view name);
// The bytes of DIR/NAME.cfg, for `guest config`. not_found.
Result<std::string> read_config_text(const std::filesystem::path& directory, std::string_view name);

// Makes or removes the link alone. not_found where there is no such config; exists as above.
Result<void> set_autostart(const std::filesystem::path& directory, std::string_view name, bool on);

// The facts of every *.cfg in the folder and of those in auto/ that are no links to it, domsmith's or not, sorted by
// file. A folder that is absent: none. What xl could not read either is left out.
Result<std::vector<XlConfigFacts>> scan_configs(const std::filesystem::path& directory);

std::filesystem::path config_path(const std::filesystem::path& directory, std::string_view name);

}  // namespace domsmith
