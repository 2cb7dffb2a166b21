#include "provision/registry/schema.h"

#include <fmt/format.h>

#include <array>

#include "provision/registry/database.h"

namespace domsmith {
namespace {

// Times are seconds since 1970, sizes bytes. `operation` is '' for a row that nobody works on. A guest's identity is
// the JSON of identity_json(); its MACs, address and machine-id stand beside it so that the database keeps them unique.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE images (
  store TEXT NOT NULL,
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  volume TEXT NOT NULL,
  distribution TEXT NOT NULL,
  release TEXT NOT NULL,
  architecture TEXT NOT NULL,
  size INTEGER NOT NULL,
  used INTEGER NOT NULL,
  created INTEGER NOT NULL,
  kernel_sha256 TEXT NOT NULL,
  initrd_sha256 TEXT NOT NULL,
  kernel_version TEXT NOT NULL,
  cmdline TEXT NOT NULL,
  recipe_sha256 TEXT NOT NULL,
  filesystem_uuid TEXT NOT NULL,
  packages INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('making', 'ready', 'removing')),
  operation TEXT NOT NULL,
  PRIMARY KEY (store, name),
  UNIQUE (store, volume),
  CHECK ((state = 'ready') = (operation = ''))
) STRICT;

CREATE TABLE guests (
  name TEXT NOT NULL PRIMARY KEY,
  store TEXT NOT NULL,
  image TEXT NOT NULL,
  volume TEXT NOT NULL,
  uuid TEXT NOT NULL UNIQUE,
  machine_id TEXT NOT NULL UNIQUE,
  template TEXT NOT NULL,
  autostart INTEGER NOT NULL CHECK (autostart IN (0, 1)),
  created INTEGER NOT NULL,
  identity TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('making', 'ready', 'resetting', 'removing')),
  operation TEXT NOT NULL,
  FOREIGN KEY (store, image) REFERENCES images (store, name),
  UNIQUE (store, volume),
  CHECK ((state = 'ready') = (operation = ''))
) STRICT;
CREATE INDEX guests_of_image ON guests (store, image);
CREATE INDEX guests_of_operation ON guests (operation) WHERE operation <> '';

CREATE TABLE macs (
  mac TEXT NOT NULL PRIMARY KEY,
  guest TEXT NOT NULL REFERENCES guests (name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX macs_of_guest ON macs (guest);

CREATE TABLE addresses (
  address TEXT NOT NULL PRIMARY KEY,
  guest TEXT NOT NULL REFERENCES guests (name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_of_guest ON addresses (guest);
)sql";

// How a guest's volume came to be, and how long what it writes lives.
constexpr std::string_view kVersion2 = R"sql(
ALTER TABLE guests ADD COLUMN ephemeral INTEGER NOT NULL DEFAULT 0 CHECK (ephemeral IN (0, 1));
ALTER TABLE guests ADD COLUMN full_copy INTEGER NOT NULL DEFAULT 0 CHECK (full_copy IN (0, 1));
)sql";

constexpr std::array kMigrations{kVersion1, kVersion2};

struct FileVersion {
  std::int64_t application = 0;
  std::int64_t version = 0;
  std::int64_t objects = 0;  // tables and indices
  [[nodiscard]] bool fresh() const { return application == 0 && version == 0 && objects == 0; }
};

Result<FileVersion> file_version(Database& database) {
  FileVersion found;
  found.application = TRY(database.integer("PRAGMA application_id"));
  found.version = TRY(database.integer("PRAGMA user_version"));
  found.objects = TRY(database.integer("SELECT count(*) FROM sqlite_schema"));
  return found;
}

// All three of one moment: another process may be writing the tables of a new file right now.
Result<FileVersion> file_version_in_snapshot(Database& database) {
  auto transaction = TRY(Transaction::begin(database, Transaction::Kind::read));
  const auto found = TRY(file_version(database));
  TRY(transaction.commit());
  return found;
}

Result<void> check_version(const Database& database, const FileVersion& found, std::size_t known) {
  if (found.fresh()) {
    return {};
  }
  if (found.application != kApplicationId) {
    return fail(ErrorCode::failed, fmt::format("{} is not a registry of domsmith", database.file().string()),
                "it is another program's database: move it away, or choose another --root");
  }
  if (found.version > static_cast<std::int64_t>(known)) {
    return fail(
        ErrorCode::unsupported,
        fmt::format("the registry {} was written by a newer domsmith (its schema is version {}, this program knows {})",
                    database.file().string(), found.version, known),
        "use that newer domsmith; the registry was not changed");
  }
  return {};
}

}  // namespace

std::span<const std::string_view> migrations() { return kMigrations; }

Result<void> migrate(Database& database, std::span<const std::string_view> steps) {
  // Looked at before anything is written, the journal mode included: a file that is not ours stays as it is.
  TRY(check_version(database, TRY(file_version_in_snapshot(database)), steps.size()));
  TRY(database.use_wal());
  if (TRY(file_version_in_snapshot(database)).version == static_cast<std::int64_t>(steps.size())) {
    return {};
  }
  auto transaction = TRY(Transaction::begin(database, Transaction::Kind::write));
  const auto found = TRY(file_version(database));  // another process may have been first
  TRY(check_version(database, found, steps.size()));
  for (auto step = static_cast<std::size_t>(found.version); step < steps.size(); ++step) {
    TRY_AS(database.execute(std::string(steps[step])),
           fmt::format("cannot bring the registry to version {}", step + 1));
  }
  TRY(database.execute(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", kApplicationId, steps.size())));
  return transaction.commit();
}

Result<void> check_schema(Database& database, std::span<const std::string_view> steps) {
  const auto found = TRY(file_version_in_snapshot(database));
  TRY(check_version(database, found, steps.size()));
  if (found.fresh()) {
    return fail(ErrorCode::not_found, fmt::format("the registry {} is empty", database.file().string()));
  }
  if (found.version < static_cast<std::int64_t>(steps.size())) {
    return fail(ErrorCode::unsupported,
                fmt::format("the registry {} was written by an older domsmith", database.file().string()),
                "run any command that changes something as its owner, which brings it up to date");
  }
  return {};
}

}  // namespace domsmith
