#include "provision/identity/strip.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/progress.h"
#include "base/text.h"
#include "imagebuild/extfs/filesystem.h"
#include "provision/identity/network_files.h"
#include "provision/identity/write.h"

namespace domsmith {
namespace {

constexpr std::string_view kAuthorizedKeys = "/root/.ssh/authorized_keys";
constexpr std::string_view kInterfaces = "/etc/network/interfaces";

// The lines of `text` without those of `unwanted`.
std::string without_lines(const std::string& text, const std::vector<std::string>& unwanted) {
  std::string kept;
  for (const auto& line : split_lines(text)) {
    if (std::ranges::find(unwanted, line) == unwanted.end()) {
      kept += line + "\n";
    }
  }
  return kept;
}

void strip_keys(const ImageFacts& facts, const Identity& identity, IdentityPlan& plan) {
  plan.remove.insert(plan.remove.end(), facts.host_keys.begin(), facts.host_keys.end());
  if (!facts.authorized_keys || identity.authorized_keys.empty()) {
    return;
  }
  auto kept = without_lines(*facts.authorized_keys, identity.authorized_keys);
  if (kept.empty()) {
    plan.remove.emplace_back(kAuthorizedKeys);
  } else {
    plan.files.push_back({.path = std::string(kAuthorizedKeys), .bytes = std::move(kept), .mode = 0600});
  }
}

// Of the files that the identity brought, those that are domsmith's own. Others (interfaces, resolv.conf, the link that
// enables networkd) may be the image's too, and hold nothing that names one machine.
void strip_network(const ImageFacts& facts, const Identity& identity, IdentityPlan& plan) {
  for (const auto& file : network_files(facts, identity)) {
    if (file.path.substr(file.path.rfind('/')).find("domsmith") != std::string::npos) {
      plan.remove.push_back(file.path);
    }
  }
  if (facts.network == NetworkSystem::ifupdown && facts.interfaces) {
    auto kept = without_lines(*facts.interfaces, {"source /etc/network/interfaces.d/domsmith"});
    if (kept != *facts.interfaces) {
      plan.files.push_back({.path = std::string(kInterfaces), .bytes = std::move(kept)});
    }
  }
}

Result<void> empty_folder(extfs::FileSystem& fs, const std::string& folder) {
  const bool there = TRY(fs.exists(folder, extfs::Follow::no));
  if (!there || TRY(fs.stat(folder, extfs::Follow::no)).type != EntryType::directory) {
    return {};
  }
  for (const auto& item : TRY(fs.list(folder))) {
    TRY(fs.remove_tree(fmt::format("{}/{}", folder, item.name)));
  }
  return {};
}

}  // namespace

IdentityPlan plan_without_identity(const ImageFacts& facts, const Identity& identity, std::string_view hostname) {
  Identity nobody;
  nobody.hostname = hostname;
  nobody.host_key_seed = nobody.entropy = std::string(64, '0');  // for files that are not taken over below
  IdentityPlan plan;
  for (auto& file : plan_identity(facts, nobody).files) {
    if (file.path == "/etc/hostname" || file.path == "/etc/hosts" || file.path == "/var/lib/dbus/machine-id") {
      plan.files.push_back(std::move(file));
    }
  }
  plan.files.push_back({.path = "/etc/machine-id", .bytes = "", .mode = 0444});  // machine-id(5): made at the next boot
  strip_keys(facts, identity, plan);
  strip_network(facts, identity, plan);
  plan.remove.insert(plan.remove.end(), {"/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed"});
  plan.remove.insert(plan.remove.end(), facts.leftovers.begin(), facts.leftovers.end());
  return plan;
}

Result<void> remove_identity(extfs::FileSystem& fs, const Identity& identity, std::string_view hostname) {
  const std::string headline = fmt::format("cannot remove the identity of '{}'", identity.hostname);
  const auto facts = TRY_AS(read_image_facts(fs), headline);
  SilentProgress silent;
  TRY_AS(apply_identity_plan(fs, plan_without_identity(facts, identity, hostname), silent), headline);
  TRY_AS(fs.remove_tree(fmt::format("/var/log/journal/{}", identity.machine_id)), headline);
  TRY_AS(fs.remove_tree("/root/.bash_history"), headline);
  for (const auto* folder : {"/run", "/tmp", "/var/tmp"}) {
    TRY_AS(empty_folder(fs, folder), headline);
  }
  return {};
}

}  // namespace domsmith
