// What the pool itself holds, read out of its metadata while the kernel keeps a snapshot of them.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lvm-snapshots/lvm_batch.h"

namespace domsmith {

namespace {

// No program for it, or somebody else holds the pool's metadata.
bool not_now(const Error& error) { return error.code == ErrorCode::not_found || error.code == ErrorCode::busy; }

}  // namespace

LvmBatch::Refusal LvmBatch::unusual(const std::string& name) {
  return fmt::format("'{}' is more than a plain thin snapshot", name);
}

template <class T>
Result<T> LvmBatch::look_inside(const View& view, const std::function<Result<T>()>& read) {
  Operation operation = TRY(begin("lvm.look", view, nlohmann::json::object()));
  auto seen = operation.perform("list", nlohmann::json::object(), read);
  if (!seen && !not_now(seen.error())) {
    TRY(machine_->release(view.pool));
  }
  TRY(operation.finish());
  return seen;
}

Result<LvmBatch::Refusal> LvmBatch::look_at_devices(const View& view, std::set<ThinDeviceId>& taken) {
  const auto seen = look_inside<std::set<ThinDeviceId>>(
      view, [&] { return machine_->devices(view.pool, view.metadata.pool_metadata_uuid()); });
  if (!seen && not_now(seen.error())) {
    return seen.error().what;
  }
  taken = view.metadata.devices();
  taken.merge(std::set(TRY(seen)));
  return std::nullopt;
}

Result<std::vector<std::optional<std::uint64_t>>> LvmBatch::differences(std::span<const std::string> names) {
  std::vector<std::optional<std::uint64_t>> all(names.size());
  const View view = TRY(look());
  if (TRY(pool_refusal(view))) {
    return all;
  }
  std::vector<std::pair<ThinDeviceId, ThinDeviceId>> pairs;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto device = view.metadata.device_of(names[i]);
    const auto origin = device ? view.metadata.device_of(view.metadata.origin_of(names[i])) : std::nullopt;
    if (origin) {
      pairs.emplace_back(*origin, *device);
      places.push_back(i);
    }
  }
  const auto seen = look_inside<std::vector<std::uint64_t>>(
      view, [&] { return machine_->differences(view.pool, view.metadata.pool_metadata_uuid(), pairs); });
  if (!seen && not_now(seen.error())) {
    return all;
  }
  const std::vector<std::uint64_t> bytes = TRY(seen);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    all[places[i]] = bytes[i];
  }
  return all;
}

Result<LvmBatch::Refusal> LvmBatch::map(std::span<const std::string> names) {
  const View view = TRY(look());
  if (Refusal refusal = TRY(pool_refusal(view))) {
    return refusal;
  }
  if (Refusal refusal = TRY(active_refusal(names))) {
    return refusal;
  }
  for (const std::string& name : names) {
    if (!view.metadata.device_of(name)) {
      return unusual(name);
    }
  }
  for (const std::string& name : names) {
    TRY(machine_->map(view.pool, commands_.device_name(name), view.metadata.device_uuid(name),
                      view.metadata.sectors_of(name), *view.metadata.device_of(name)));
  }
  return std::nullopt;
}

Result<void> LvmBatch::unmap(std::span<const std::string> names) {
  for (const std::string& name : names) {
    TRY(machine_->unmap(commands_.device_name(name)));
  }
  return {};
}

Result<std::optional<std::set<ThinDeviceId>>> LvmBatch::strangers() {
  const View view = TRY(look());
  std::set<ThinDeviceId> all;
  if (TRY(pool_refusal(view)) || TRY(look_at_devices(view, all))) {
    return std::nullopt;
  }
  for (const ThinDeviceId known : view.metadata.devices()) {
    all.erase(known);
  }
  return all;
}

}  // namespace domsmith
