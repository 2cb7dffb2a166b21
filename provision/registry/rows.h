// Records to rows and back. The order of columns is this file's secret.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "provision/registry/database.h"
#include "provision/registry/records.h"

namespace domsmith {

// For "SELECT " + columns + " FROM images".
std::string_view image_columns();
std::string_view guest_columns();
ImageRecord image_of_row(const Statement& row);
// failed: the identity in the row is damaged.
Result<GuestRecord> guest_of_row(const Statement& row);

// Inserts, or replaces all columns of, the row of (store, name).
Result<void> put_image(Database& database, const ImageRecord& record);

// Inserts many guests with their MACs and addresses: the statements are prepared once.
class GuestInserter {
 public:
  static Result<GuestInserter> make(Database& database);
  Result<void> insert(const GuestRecord& record);

 private:
  GuestInserter(Statement guest, Statement mac, Statement address)
      : guest_(std::move(guest)), mac_(std::move(mac)), address_(std::move(address)) {}
  Statement guest_, mac_, address_;
};

}  // namespace domsmith
