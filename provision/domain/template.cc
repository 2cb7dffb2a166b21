#include "provision/domain/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/file.h"
#include "base/json_text.h"
#include "base/text.h"
#include "imagebuild/recipe/describe.h"
#include "imagebuild/recipe/document.h"
#include "provision/domain/template_schema.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t mib = 1U << 20;
constexpr std::uint64_t file_limit = 1U << 20;

DomainAction action_of(const DocumentTable& events, std::string_view key) {
  return parse_action(events.string(key)).value_or(DomainAction::destroy);  // the schema's choices are its words
}

std::vector<VifTemplate> vifs_of(const DocumentTable& root) {
  std::vector<VifTemplate> vifs;
  for (const auto& vif : root.tables("vif")) {
    vifs.push_back({.bridge = vif.string("bridge"), .script = vif.string("script"), .rate = vif.string("rate")});
  }
  if (vifs.empty() && root.table("domain").boolean("network")) {
    vifs.emplace_back();
  }
  return vifs;
}

DomainTemplate template_of(const Document& document, const fs::path& file) {
  const auto& root = document.root();
  const auto& domain = root.table("domain");
  const auto& events = root.table("events");
  const auto memory = static_cast<std::uint64_t>(domain.integer("memory"));
  return {.file = file,
          .name = file.stem().string(),
          .description = root.string("description"),
          .type = domain.string("type") == "pv" ? DomainType::pv : DomainType::pvh,
          .memory = memory,
          .maxmem = domain.has("maxmem") ? static_cast<std::uint64_t>(domain.integer("maxmem")) : memory,
          .vcpus = static_cast<unsigned>(domain.integer("vcpus")),
          .tsc = parse_tsc(domain.string("tsc_mode")).value_or(TscMode::standard),
          .cmdline = domain.string("cmdline"),
          .on_poweroff = action_of(events, "on_poweroff"),
          .on_reboot = action_of(events, "on_reboot"),
          .on_crash = action_of(events, "on_crash"),
          .vifs = vifs_of(root)};
}

Result<std::vector<fs::path>> template_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".toml") {
      files.push_back(entry->path());
    }
  }
  if (error) {
    return fail_errno(fmt::format("cannot list the templates' folder {}", directory.string()), error.value(),
                      "install domsmith, which puts its templates there, or name a folder of yours in the settings "
                      "(templates = \"…\"; another file of settings: --config FILE)");
  }
  std::ranges::sort(files, {}, [](const fs::path& file) { return file.stem().string(); });
  return files;
}

}  // namespace

Result<DomainTemplate> parse_template(std::string_view text, const fs::path& file) {
  if (const auto name = check_name("template", file.stem().string()); !name) {
    return fail(ErrorCode::bad_input,
                fmt::format("{}: a template is named by its file, and this cannot be a name", file.string()),
                name.error().remedy);
  }
  return template_of(TRY(read_document(text, file.string(), template_schema())), file);
}

Result<DomainTemplate> check_template(const fs::path& file) {
  return parse_template(TRY(read_file(file, file_limit)), file);
}

Result<std::vector<DomainTemplate>> load_templates(const fs::path& directory) {
  std::vector<DomainTemplate> templates;
  std::vector<Error> errors;
  for (const auto& file : TRY(template_files(directory))) {
    auto one = check_template(file);
    if (one) {
      templates.push_back(std::move(*one));
      continue;
    }
    auto others = std::exchange(one.error().others, {});
    errors.push_back(std::move(one).error());
    std::ranges::move(others, std::back_inserter(errors));
  }
  if (!errors.empty()) {
    Error first = std::move(errors.front());
    first.others.assign(std::make_move_iterator(errors.begin() + 1), std::make_move_iterator(errors.end()));
    return std::unexpected(std::move(first));
  }
  return templates;
}

Result<DomainTemplate> load_template(const fs::path& directory, std::string_view name) {
  std::vector<std::string> names;
  for (const auto& file : TRY(template_files(directory))) {
    if (file.stem() == name) {
      return check_template(file);
    }
    names.push_back(file.stem().string());
  }
  const auto near = nearest(name, names);
  return fail(ErrorCode::not_found,
              fmt::format("there is no template '{}' in {}{}", name, directory.string(),
                          near.empty() ? "" : fmt::format("; did you mean '{}'?", near)),
              names.empty() ? "put templates into that folder, or name another one in the settings"
                            : "take one of: " + join(names, ", "));
}

std::string template_schema_json() { return json_text(json_schema(template_schema())); }

Result<DomainSpec> make_domain_spec(const DomainTemplate& from, const GuestFacts& guest) {
  if (guest.macs.size() != from.vifs.size()) {
    return fail(ErrorCode::bad_input,
                fmt::format("template '{}' has {} network interfaces, the guest '{}' {} MAC addresses", from.name,
                            from.vifs.size(), guest.name, guest.macs.size()));
  }
  DomainSpec spec{.name = guest.name,
                  .uuid = guest.uuid,
                  .type = from.type,
                  .memory_mib = from.memory / mib,
                  .maxmem_mib = from.maxmem / mib,
                  .vcpus = from.vcpus,
                  .tsc = from.tsc,
                  .kernel = guest.kernel,
                  .ramdisk = guest.ramdisk,
                  .cmdline = trimmed(guest.cmdline + " " + from.cmdline),
                  .disks = guest.disks,
                  .vifs = {},
                  .on_poweroff = from.on_poweroff,
                  .on_reboot = from.on_reboot,
                  .on_crash = from.on_crash,
                  .autostart = guest.autostart};
  for (std::size_t i = 0; i < from.vifs.size(); ++i) {
    const auto& vif = from.vifs[i];
    spec.vifs.push_back({.mac = guest.macs[i],
                         .bridge = vif.bridge.empty() ? guest.default_bridge : vif.bridge,
                         .script = vif.script,
                         .rate = vif.rate});
  }
  TRY(validate(spec));
  return spec;
}

}  // namespace domsmith
