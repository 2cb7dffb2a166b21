#include "provision/registry/rows.h"

#include <fmt/format.h>

#include "base/json_text.h"

namespace domsmith {
namespace {

std::int64_t seconds_of(std::chrono::sys_seconds time) { return time.time_since_epoch().count(); }
std::chrono::sys_seconds time_of(std::int64_t seconds) {
  return std::chrono::sys_seconds(std::chrono::seconds(seconds));
}

}  // namespace

std::string_view image_columns() {
  return "store, name, version, volume, distribution, release, architecture, size, used, created, kernel_sha256, "
         "initrd_sha256, kernel_version, cmdline, recipe_sha256, filesystem_uuid, packages, state, operation";
}

ImageRecord image_of_row(const Statement& row) {
  ImageRecord record;
  record.store = row.text(0);
  record.name = row.text(1);
  record.version = row.text(2);
  record.volume = row.text(3);
  record.distribution = row.text(4);
  record.release = row.text(5);
  record.architecture = row.text(6);
  record.size = static_cast<std::uint64_t>(row.integer(7));
  record.used = static_cast<std::uint64_t>(row.integer(8));
  record.created = time_of(row.integer(9));
  record.kernel_sha256 = row.text(10);
  record.initrd_sha256 = row.text(11);
  record.kernel_version = row.text(12);
  record.cmdline = row.text(13);
  record.recipe_sha256 = row.text(14);
  record.filesystem_uuid = row.text(15);
  record.packages = static_cast<std::uint64_t>(row.integer(16));
  record.state = image_state_of(row.text(17)).value_or(ImageState::making);  // the table's CHECK allows no other text
  record.operation = row.text(18);
  return record;
}

Result<void> put_image(Database& database, const ImageRecord& record) {
  auto statement = TRY(database.prepare(fmt::format(
      "INSERT INTO images ({}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (store, name) DO UPDATE SET "
      "version = excluded.version, volume = excluded.volume, distribution = excluded.distribution, "
      "release = excluded.release, architecture = excluded.architecture, size = excluded.size, "
      "used = excluded.used, created = excluded.created, kernel_sha256 = excluded.kernel_sha256, "
      "initrd_sha256 = excluded.initrd_sha256, kernel_version = excluded.kernel_version, "
      "cmdline = excluded.cmdline, recipe_sha256 = excluded.recipe_sha256, "
      "filesystem_uuid = excluded.filesystem_uuid, packages = excluded.packages, state = excluded.state, "
      "operation = excluded.operation",
      image_columns())));
  return statement.run(record.store, record.name, record.version, record.volume, record.distribution, record.release,
                       record.architecture, record.size, record.used, seconds_of(record.created), record.kernel_sha256,
                       record.initrd_sha256, record.kernel_version, record.cmdline, record.recipe_sha256,
                       record.filesystem_uuid, record.packages, state_text(record.state), record.operation);
}

std::string_view guest_columns() {
  return "name, store, image, volume, uuid, template, autostart, created, identity, state, operation, ephemeral, "
         "full_copy";
}

Result<GuestRecord> guest_of_row(const Statement& row) {
  GuestRecord record;
  record.name = row.text(0);
  record.store = row.text(1);
  record.image = row.text(2);
  record.volume = row.text(3);
  record.uuid = row.text(4);
  record.template_name = row.text(5);
  record.autostart = row.integer(6) != 0;
  record.created = time_of(row.integer(7));
  const auto json = nlohmann::json::parse(row.text(8), nullptr, false);
  record.identity =
      TRY_AS(identity_from_json(json), fmt::format("the registry's row of guest '{}' is damaged", record.name));
  record.state = guest_state_of(row.text(9)).value_or(GuestState::making);
  record.operation = row.text(10);
  record.ephemeral = row.integer(11) != 0;
  record.full = row.integer(12) != 0;
  return record;
}

Result<GuestInserter> GuestInserter::make(Database& database) {
  auto guest = TRY(database.prepare(
      fmt::format("INSERT INTO guests ({}, machine_id) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", guest_columns())));
  auto mac = TRY(database.prepare("INSERT INTO macs (mac, guest) VALUES (?, ?)"));
  auto address = TRY(database.prepare("INSERT INTO addresses (address, guest) VALUES (?, ?)"));
  return GuestInserter(std::move(guest), std::move(mac), std::move(address));
}

Result<void> GuestInserter::insert(const GuestRecord& record) {
  const auto identity = json_line(identity_json(record.identity));
  TRY(guest_.run(record.name, record.store, record.image, record.volume, record.uuid, record.template_name,
                 record.autostart, seconds_of(record.created), identity, state_text(record.state), record.operation,
                 record.ephemeral, record.full, record.identity.machine_id));
  for (const auto& mac : record.identity.macs) {
    TRY(mac_.run(mac, record.name));
  }
  if (record.identity.network) {
    TRY(address_.run(record.identity.network->address, record.name));
  }
  return {};
}

}  // namespace domsmith
