#include "provision/registry/registry.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.h"
#include "provision/registry/database.h"
#include "provision/registry/rows.h"
#include "provision/registry/schema.h"

namespace domsmith {
namespace {

constexpr std::string_view kWhoMayMakeIt =
    "run the command as root, or put domsmith's files into a folder of yours: --root DIR";

// mknod(2) and not open(2): closing a descriptor of the file would drop the POSIX locks that another connection of this
// process holds on it (sqlite.org/howtocorrupt.html, 2.2).
Result<void> make_registry_file(const std::filesystem::path& file) {
  if (auto made = make_directories(file.parent_path()); !made) {
    return wrap(std::move(made).error().with_remedy(std::string(kWhoMayMakeIt)),
                fmt::format("cannot make the registry {}", file.string()));
  }
  if (mknod(file.c_str(), S_IFREG | 0600, 0) == 0) {
    return sync_directory(file.parent_path());
  }
  if (errno == EEXIST) {
    return {};
  }
  return fail_errno(fmt::format("cannot make the registry {}", file.string()), errno, std::string(kWhoMayMakeIt));
}

Result<void> check_registry_file(const std::filesystem::path& file) {
  struct stat info{};
  if (stat(file.c_str(), &info) != 0) {
    return fail_errno(fmt::format("cannot open the registry {}", file.string()), errno);
  }
  if (!S_ISREG(info.st_mode)) {
    return fail(ErrorCode::failed, fmt::format("the registry {} is no file", file.string()), "move it away");
  }
  return {};
}

}  // namespace

Registry::Registry(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Registry::Registry(Registry&&) noexcept = default;
Registry& Registry::operator=(Registry&&) noexcept = default;
Registry::~Registry() = default;

Result<Registry> Registry::open(const std::filesystem::path& file, const RegistryOptions& options) {
  const auto absolute = std::filesystem::absolute(file);
  if (!options.read_only) {
    TRY(make_registry_file(absolute));
  }
  TRY(check_registry_file(absolute));
  DatabaseOptions how;
  how.read_only = options.read_only;
  how.patience = options.patience;
  auto database = TRY(Database::open(absolute, how));
  if (options.read_only) {
    TRY(check_schema(*database, migrations()));
  } else {
    TRY(migrate(*database, migrations()));
  }
  return Registry(std::move(database));
}

Result<Registry> Registry::none() {
  auto database = TRY(Database::in_memory());
  TRY(migrate(*database, migrations()));
  return Registry(std::move(database));
}

Result<OperationRows> Registry::rows_of_operation(std::string_view operation) {
  OperationRows rows;
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::read));
  auto images = TRY(database_->prepare(fmt::format(
      "SELECT {} FROM images WHERE operation = ? AND operation <> '' ORDER BY name, store", image_columns())));
  TRY(images.each(
      [&](const Statement& row) -> Result<void> {
        rows.images.push_back(image_of_row(row));
        return {};
      },
      operation));
  auto guests = TRY(database_->prepare(
      fmt::format("SELECT {} FROM guests WHERE operation = ? AND operation <> '' ORDER BY name", guest_columns())));
  TRY(guests.each(
      [&](const Statement& row) -> Result<void> {
        rows.guests.push_back(TRY(guest_of_row(row)));
        return {};
      },
      operation));
  TRY(transaction.commit());
  return rows;
}

Result<void> Registry::take_over(std::string_view from, std::string_view to) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  for (const char* table : {"images", "guests"}) {
    auto statement = TRY(database_->prepare(
        fmt::format("UPDATE {} SET operation = ?2 WHERE operation = ?1 AND operation <> ''", table)));
    TRY(statement.run(from, to));
  }
  return transaction.commit();
}

Result<std::vector<std::string>> Registry::operations() {
  std::vector<std::string> operations;
  auto statement =
      TRY(database_->prepare("SELECT operation FROM images WHERE operation <> '' UNION SELECT operation FROM guests "
                             "WHERE operation <> '' ORDER BY 1"));
  TRY(statement.each([&](const Statement& row) -> Result<void> {
    operations.push_back(row.text(0));
    return {};
  }));
  return operations;
}

}  // namespace domsmith
