// The registry's guests, once they are reserved (reservation.cc).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "provision/registry/database.h"
#include "provision/registry/registry.h"
#include "provision/registry/rows.h"

namespace domsmith {
namespace {

bool natural_less(const GuestRecord& left, const GuestRecord& right) {
  return strverscmp(left.name.c_str(), right.name.c_str()) < 0;  // web-2 before web-10
}

Result<std::optional<GuestRecord>> guest_in(Statement& by_name, std::string_view name) {
  Result<GuestRecord> record = GuestRecord{};
  if (!TRY(by_name.first([&](const Statement& row) { record = guest_of_row(row); }, name))) {
    return std::nullopt;
  }
  return TRY(std::move(record));
}

std::string select_guests(std::string_view condition) {
  return fmt::format("SELECT {} FROM guests WHERE {}", guest_columns(), condition);
}

Result<Error> no_such_guest(Database& database, std::string_view name) {
  std::vector<std::string> names;
  auto statement = TRY(database.prepare("SELECT name FROM guests"));
  TRY(statement.each([&](const Statement& row) -> Result<void> {
    names.push_back(row.text(0));
    return {};
  }));
  const auto near = nearest(name, names);
  return fail(ErrorCode::not_found, fmt::format("there is no guest '{}'", name),
              near.empty() ? "see which there are: domsmith guest list" : fmt::format("did you mean '{}'?", near))
      .error();
}

std::unexpected<Error> held(const GuestRecord& guest) {
  return fail(ErrorCode::busy,
              fmt::format("another process is {} the guest '{}' (operation {})", state_text(guest.state), guest.name,
                          guest.operation),
              "if that process is gone, clean up after it: domsmith recover");
}

}  // namespace

Result<void> Registry::complete_guests(std::string_view operation) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  auto statement = TRY(
      database_->prepare("UPDATE guests SET state = 'ready', operation = '' WHERE operation = ? AND state = 'making'"));
  TRY(statement.run(operation));
  return transaction.commit();
}

Result<std::vector<GuestRecord>> Registry::set_state(std::span<const std::string> names, GuestState state,
                                                     std::string_view operation) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  auto select = TRY(database_->prepare(select_guests("name = ?")));
  auto update = TRY(database_->prepare("UPDATE guests SET state = ?, operation = ? WHERE name = ?"));
  std::vector<GuestRecord> records;
  records.reserve(names.size());
  for (const auto& name : names) {
    auto found = TRY(guest_in(select, name));
    if (!found) {
      return std::unexpected(TRY(no_such_guest(*database_, name)));
    }
    const bool lets_go = state == GuestState::ready && operation.empty();
    if (!lets_go && !found->operation.empty() && found->operation != operation) {
      return held(*found);
    }
    found->state = state;
    found->operation = state == GuestState::ready ? std::string_view() : operation;
    TRY(update.run(state_text(found->state), found->operation, found->name));
    records.push_back(*std::move(found));
  }
  TRY(transaction.commit());
  return records;
}

Result<std::vector<GuestRecord>> Registry::begin_rebase(std::span<const std::string> names, std::string_view image,
                                                        std::string_view operation) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  auto select = TRY(database_->prepare(select_guests("name = ?")));
  auto ready = TRY(database_->prepare("SELECT 1 FROM images WHERE store = ? AND name = ? AND state = 'ready'"));
  auto update =
      TRY(database_->prepare("UPDATE guests SET image = ?, state = 'resetting', operation = ? WHERE name = ?"));
  std::vector<GuestRecord> records;
  for (const auto& name : names) {
    auto found = TRY(guest_in(select, name));
    if (!found) {
      return std::unexpected(TRY(no_such_guest(*database_, name)));
    }
    if (found->state != GuestState::ready) {
      return held(*found);
    }
    if (!TRY(ready.first([](const Statement&) {}, found->store, image))) {
      return fail(ErrorCode::not_found, fmt::format("there is no image '{}' in {} that is ready", image, found->store),
                  "see which there are: domsmith image list");
    }
    TRY(update.run(image, operation, name));
    records.push_back(*std::move(found));
  }
  TRY(transaction.commit());
  return records;
}

Result<void> Registry::undo_rebase(std::string_view name, std::string_view image) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  auto statement =
      TRY(database_->prepare("UPDATE guests SET image = ?, state = 'ready', operation = '' WHERE name = ?"));
  TRY(statement.run(image, name));
  return transaction.commit();
}

Result<void> Registry::set_autostart(std::string_view name, bool autostart) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  auto statement = TRY(database_->prepare("UPDATE guests SET autostart = ? WHERE name = ?"));
  TRY(statement.run(autostart, name));
  if (database_->changes() == 0) {
    return std::unexpected(TRY(no_such_guest(*database_, name)));
  }
  return transaction.commit();
}

Result<void> Registry::drop_guests(std::span<const std::string> names) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  auto statement = TRY(database_->prepare("DELETE FROM guests WHERE name = ?"));  // MACs and addresses go with it
  for (const auto& name : names) {
    TRY(statement.run(name));
  }
  return transaction.commit();
}

Result<std::vector<GuestRecord>> Registry::list_guests(const GuestFilter& filter) {
  // An empty image or store, and the pattern '*', let every guest through.
  auto statement = TRY(database_->prepare(select_guests(
      "(?1 = '' OR image = ?1) AND (?2 = '' OR store = ?2) AND name GLOB ?3 AND (?4 = '' OR state = ?4)")));
  std::vector<GuestRecord> guests;
  const auto state = filter.state ? state_text(*filter.state) : std::string_view();
  TRY(statement.each(
      [&](const Statement& row) -> Result<void> {
        guests.push_back(TRY(guest_of_row(row)));
        return {};
      },
      filter.image.value_or(""), filter.store.value_or(""), filter.pattern.value_or("*"), state));
  std::ranges::sort(guests, natural_less);
  return guests;
}

Result<GuestRecord> Registry::find_guest(std::string_view name) {
  auto statement = TRY(database_->prepare(select_guests("name = ?")));
  auto found = TRY(guest_in(statement, name));
  if (!found) {
    return std::unexpected(TRY(no_such_guest(*database_, name)));
  }
  return *std::move(found);
}

Result<std::uint32_t> Registry::next_free_number(std::string_view name) {
  std::uint32_t highest = 0;
  const auto prefix = std::string(name) + "-";
  auto statement = TRY(database_->prepare("SELECT name FROM guests WHERE substr(name, 1, ?1) = ?2"));
  TRY(statement.each(
      [&](const Statement& row) -> Result<void> {
        const auto taken = row.text(0).substr(prefix.size());
        std::uint32_t number = 0;
        const auto [stop, error] = std::from_chars(taken.data(), taken.data() + taken.size(), number);
        if (error == std::errc() && stop == taken.data() + taken.size()) {
          highest = std::max(highest, number);
        }
        return {};
      },
      prefix.size(), prefix));
  return highest + 1;
}

}  // namespace domsmith
