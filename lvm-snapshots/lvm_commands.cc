#include "lvm-snapshots/lvm_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "lvm-snapshots/lvm_report.h"

namespace domsmith {

namespace {

void add_tags(LvmCommand& command, std::string_view kind) {
  command.insert(command.end(), {"--addtag", std::string(lvm_tag::ours), "--addtag", std::string(kind)});
}

}  // namespace

std::string dashes_doubled(std::string_view name) {
  std::string doubled;
  for (const char c : name) {
    doubled.append(c == '-' ? 2 : 1, c);
  }
  return doubled;
}

std::optional<std::string_view> behind_group(std::string_view device, std::string_view group) {
  const std::string prefix = dashes_doubled(group) + "-";
  const bool inside = device.starts_with(prefix) && !device.substr(prefix.size()).starts_with('-');
  return inside ? std::optional(device.substr(prefix.size())) : std::nullopt;
}

std::string LvmCommands::device_name(std::string_view name) const {
  return fmt::format("{}-{}", dashes_doubled(group), dashes_doubled(name));
}

std::string LvmCommands::pool_target() const { return device_name(pool) + "-tpool"; }

std::string LvmCommands::fresh(std::string_view name) const {
  return fmt::format("{}{}", name, thin() ? suffix_fresh : std::string_view());
}

std::string LvmCommands::staging(std::string_view name) { return fmt::format("{}{}", name, suffix_staging); }

LvmCommand LvmCommands::create(std::string_view name, std::uint64_t size) const {
  LvmCommand command = {"lvcreate", "-y", "-an", "-ky"};
  const std::string bytes = fmt::format("{}b", size);
  if (thin()) {
    command.insert(command.end(), {"-V", bytes, "-T", path(pool)});
  } else {
    // Neither zeroed nor wiped by LVM: the store zeroes all of it.
    command.insert(command.end(), {"-Wn", "-Zn", "-L", bytes});
  }
  add_tags(command, lvm_tag::staging);
  command.insert(command.end(), {"-n", std::string(name)});
  if (!thin()) {
    command.push_back(group);
  }
  return command;
}

LvmCommand LvmCommands::snapshot(std::string_view origin, std::string_view name) const {
  LvmCommand command = {"lvcreate", "-y", "-s", "-ky", "-prw"};
  if (thin()) {
    command.emplace_back("-an");
  } else {
    command.insert(command.end(), {"-l", "100%ORIGIN"});
  }
  add_tags(command, lvm_tag::clone);
  command.insert(command.end(), {"-n", std::string(name), path(origin)});
  return command;
}

LvmCommand LvmCommands::seal(std::string_view name) const {
  return {"lvchange", "-y", "-pr", "--deltag", std::string(lvm_tag::staging), "--addtag", std::string(lvm_tag::golden),
          path(name)};
}

LvmCommand LvmCommands::adopt(std::string_view name) const {
  return {"lvchange", "-y", "--deltag", std::string(lvm_tag::staging), "--addtag", std::string(lvm_tag::clone),
          path(name)};
}

// Rounded up to whole extents; --force: no question about what a shrinking cuts off, the file system is shorter by
// then.
LvmCommand LvmCommands::resize(std::string_view name, std::uint64_t size) const {
  return {"lvresize", "-y", "--force", "-L", fmt::format("{}b", size), path(name)};
}

LvmCommand LvmCommands::extend_pool(std::uint64_t bytes) const {
  return {"lvextend", "-y", "-L", fmt::format("+{}b", bytes), path(pool)};
}

LvmCommand LvmCommands::activate(std::string_view name) const { return {"lvchange", "-y", "-ay", "-K", path(name)}; }

LvmCommand LvmCommands::deactivate(std::string_view name) const { return {"lvchange", "-y", "-an", path(name)}; }

void LvmCommands::add_paths(LvmCommand& command, std::span<const std::string> names) const {
  std::ranges::transform(names, std::back_inserter(command), [this](const std::string& name) { return path(name); });
}

LvmCommand LvmCommands::activate(std::span<const std::string> names) const {
  LvmCommand command = {"lvchange", "-y", "-ay", "-K"};
  add_paths(command, names);
  return command;
}

LvmCommand LvmCommands::deactivate(std::span<const std::string> names) const {
  LvmCommand command = {"lvchange", "-y", "-an"};
  add_paths(command, names);
  return command;
}

LvmCommand LvmCommands::rename(std::string_view from, std::string_view to) const {
  return {"lvrename", "-y", group, std::string(from), std::string(to)};
}

std::vector<LvmCommand> LvmCommands::remove(std::span<const std::string> names) const {
  static constexpr std::size_t at_once = 50;
  std::vector<LvmCommand> commands;
  while (!names.empty()) {
    LvmCommand command = {"lvremove", "-y"};
    const auto part = names.first(std::min(at_once, names.size()));
    add_paths(command, part);
    commands.push_back(std::move(command));
    names = names.subspan(part.size());
  }
  return commands;
}

LvmCommand without_backup(LvmCommand command) {
  command.insert(command.begin() + 1, "-An");
  return command;
}

}  // namespace domsmith
