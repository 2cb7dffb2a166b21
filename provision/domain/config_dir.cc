#include "provision/domain/config_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "base/fail_point.h"
#include "base/text.h"
#include "provision/domain/config_folder.h"

namespace domsmith {

namespace fs = std::filesystem;

fs::path config_path(const fs::path& directory, std::string_view name) {
  return directory / fmt::format("{}.cfg", name);
}

namespace {

std::string file_name(std::string_view name) { return fmt::format("{}.cfg", name); }
std::string link_target(std::string_view name) { return fmt::format("../{}.cfg", name); }

// A file that domsmith wrote for that guest; an edited one still is, as long as its first line and the UUID stand
// there.
bool belongs_to(std::string_view text, std::string_view uuid) {
  return written_by_domsmith(text) && (uuid.empty() || text.find(uuid) != std::string_view::npos);
}

std::unexpected<Error> taken(const std::string& path) {
  return fail(ErrorCode::exists, fmt::format("{} is there and is not this guest's", path),
              "take another name, or move the file away");
}

}  // namespace

Result<void> remove_configs(const fs::path& directory, std::span<const ConfigOwner> owners) {
  for (const auto& owner : owners) {
    TRY(check_name("guest", owner.name));
  }
  const auto folder = TRY(ConfigFolder::open(directory));
  if (!folder) {
    return {};
  }
  const auto links = TRY(ConfigFolder::open(directory / "auto"));
  for (const auto& owner : owners) {
    const auto file = file_name(owner.name);
    TRY(folder->drop_staged(file));
    const auto text = TRY(folder->read(file));
    if (text && !belongs_to(*text, owner.uuid)) {
      continue;
    }
    if (links) {
      TRY(links->drop_staged(file));
      if (links->read_link(file).value_or(std::nullopt) == link_target(owner.name)) {
        TRY(links->remove(file));
      }
    }
    TRY(fail_point("remove_configs.unlinked"));
    TRY(folder->remove(file));
  }
  if (links) {
    TRY(links->flush_names());
  }
  return folder->flush_names();
}

Result<void> remove_configs(const fs::path& directory, std::span<const std::string> names) {
  std::vector<ConfigOwner> owners;
  for (const auto& name : names) {
    owners.push_back({.name = name, .uuid = {}});
  }
  return remove_configs(directory, owners);
}

Result<void> remove_config(const fs::path& directory, std::string_view name, std::string_view uuid) {
  const ConfigOwner owner{.name = std::string(name), .uuid = std::string(uuid)};
  return remove_configs(directory, std::span(&owner, 1));
}

Result<std::string> read_config_text(const fs::path& directory, std::string_view name) {
  TRY(check_name("guest", name));
  const auto folder = TRY(ConfigFolder::open(directory));
  auto text = folder ? TRY(folder->read(file_name(name))) : std::nullopt;
  if (!text) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no domain config {}", config_path(directory, name).string()));
  }
  return std::move(*text);
}

Result<DomainSpec> read_config(const fs::path& directory, std::string_view name) {
  const auto text = TRY(read_config_text(directory, name));
  const auto file = config_path(directory, name).string();
  auto spec = TRY(parse_xl_config(text, file));
  if (spec.name != name) {
    return fail(ErrorCode::bad_input, fmt::format("{} is the config of a domain called '{}'", file, spec.name),
                fmt::format("write name = \"{}\" in it", name));
  }
  if (const auto links = TRY(ConfigFolder::open(directory / "auto"))) {
    spec.autostart = links->read_link(file_name(name)).value_or(std::nullopt) == link_target(name);
  }
  return spec;
}

Result<void> set_autostart(const fs::path& directory, std::string_view name, bool on) {
  static_cast<void>(TRY(read_config_text(directory, name)));
  const auto file = file_name(name);
  if (!on) {
    const auto links = TRY(ConfigFolder::open(directory / "auto"));
    if (!links || links->read_link(file).value_or(std::nullopt) != link_target(name)) {
      return {};
    }
    TRY(links->remove(file));
    return links->flush_names();
  }
  const auto links = TRY(ConfigFolder::make(directory / "auto"));
  if (const auto target = TRY(links.read_link(file))) {
    return *target == link_target(name) ? Result<void>{} : taken(links.path_of(file));
  }
  TRY(links.stage_link(file, link_target(name)));
  TRY(links.publish(file, false));
  return links.flush_names();
}

namespace {

// Names of the *.cfg in a folder; an absent folder has none.
Result<std::vector<fs::path>> config_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".cfg" && !entry->path().filename().string().starts_with('.')) {
      files.push_back(entry->path());
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail_errno(fmt::format("cannot list {}", directory.string()), error.value());
  }
  std::ranges::sort(files);
  return files;
}

Result<void> scan_into(const fs::path& directory, bool links_too, std::vector<XlConfigFacts>& facts) {
  const auto folder = TRY(ConfigFolder::open(directory));
  for (const auto& file : TRY(config_files(directory))) {
    const auto name = file.filename().string();
    if (!folder || (!links_too && folder->read_link(name).has_value())) {
      continue;
    }
    const auto text = folder->read(name);
    if (!text || !*text) {
      continue;
    }
    if (auto fact = read_xl_config_facts(**text, file.string())) {
      facts.push_back(std::move(*fact));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<XlConfigFacts>> scan_configs(const fs::path& directory) {
  std::vector<XlConfigFacts> facts;
  TRY(scan_into(directory, true, facts));
  TRY(scan_into(directory / "auto", false, facts));
  return facts;
}

}  // namespace domsmith
