// The LVM store's verbs that change what a volume is, or how long: adopt, resize.
#include <fmt/format.h>

#include <algorithm>

#include "base/fail_point.h"
#include "base/text.h"
#include "lvm-snapshots/lvm_errors.h"
#include "lvm-snapshots/lvm_store.h"
#include "lvm-snapshots/store_rules.h"

namespace domsmith {

namespace {

// "New size (2 extents) matches existing size (2 extents)": a recovery asks for what is done already.
bool has_that_size(const Error& error) {
  return std::ranges::any_of(
      error.causes, [](const std::string& cause) { return cause.find("matches existing size") != std::string::npos; });
}

}  // namespace

Result<void> LvmStore::adopt(std::string_view volume, std::string_view origin) {
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  const LvmVolume& there = *TRY(context_->lookup(group, volume));
  TRY(store_rules::check_adoptable(volume, *there.kind));
  TRY(store_rules::check_origin(origin, *TRY(context_->lookup(group, origin))->kind));
  TRY(check_idle(there));
  TRY(fail_point("lvm.adopt.before"));
  const std::string headline = fmt::format("cannot make a clone of volume '{}'", volume);
  TRY(name_whole(there, headline));
  TRY(context_->run(context_->commands().adopt(volume), headline));
  return fail_point("lvm.adopt.after");
}

// Staging still: whoever dies between this and what follows leaves what is under its final name whole.
Result<void> LvmStore::name_whole(const LvmVolume& there, const std::string& headline) {
  if (there.lv != there.name) {
    TRY(context_->run(without_backup(context_->commands().rename(there.lv, there.name)), headline));
  }
  return fail_point("lvm.named");
}

Result<void> LvmStore::resize(std::string_view volume, std::uint64_t size) {
  TRY(store_rules::check_new(volume, size));
  const FileLock gate = TRY(context_->use().gate());
  const LvmGroup group = TRY(context_->tidy());
  const LvmVolume& there = *TRY(context_->lookup(group, volume));
  TRY(store_rules::check_is_clone(volume, *there.kind, "be resized"));
  TRY(check_idle(there));
  if (!context_->commands().thin() && !there.origin.empty()) {
    return fail(ErrorCode::unsupported, fmt::format("'{}' is a classic snapshot, which has its image's size", volume),
                "make a full copy instead: domsmith clone --full");
  }
  if (size > there.size) {
    TRY(check_room(group, size - there.size, 1));
  }
  TRY(fail_point("lvm.resize.before"));
  auto resized = context_->run(context_->commands().resize(there.lv, size),
                               fmt::format("cannot resize volume '{}' to {}", volume, size_text(size)));
  if (!resized && !has_that_size(resized.error())) {
    return resized;
  }
  return fail_point("lvm.resize.after");
}

std::vector<std::string> LvmStore::plan_adopt(std::string_view volume, std::string_view /*origin*/) const {
  return {command_text(context_->commands().rename(LvmCommands::staging(volume), volume)),
          command_text(context_->commands().adopt(volume))};
}

std::vector<std::string> LvmStore::plan_resize(std::string_view volume, std::uint64_t size) const {
  return {command_text(context_->commands().resize(volume, size))};
}

}  // namespace domsmith
