// The registry's images.
#include <fmt/format.h>

#include "base/text.h"
#include "provision/registry/database.h"
#include "provision/registry/registry.h"
#include "provision/registry/rows.h"

namespace domsmith {
namespace {

constexpr std::string_view kAfterCrash = "if that process is gone, clean up after it: domsmith recover";

Result<std::optional<ImageRecord>> image_in(Database& database, std::string_view store, std::string_view name) {
  std::optional<ImageRecord> found;
  auto statement =
      TRY(database.prepare(fmt::format("SELECT {} FROM images WHERE store = ? AND name = ?", image_columns())));
  TRY(statement.first([&](const Statement& row) { found = image_of_row(row); }, store, name));
  return found;
}

std::unexpected<Error> busy_image(const ImageRecord& image) {
  return fail(ErrorCode::busy,
              fmt::format("another process is {} the image '{}' (operation {})", state_text(image.state), image.name,
                          image.operation),
              std::string(kAfterCrash));
}

Result<std::vector<std::string>> guests_in(Database& database, std::string_view store, std::string_view image) {
  std::vector<std::string> names;
  auto statement = TRY(database.prepare("SELECT name FROM guests WHERE store = ? AND image = ? ORDER BY name"));
  TRY(statement.each(
      [&](const Statement& row) -> Result<void> {
        names.push_back(row.text(0));
        return {};
      },
      store, image));
  return names;
}

Result<void> check_unused(Database& database, std::string_view store, std::string_view image) {
  auto names = TRY(guests_in(database, store, image));
  if (names.empty()) {
    return {};
  }
  const auto count = names.size();
  constexpr std::size_t kShown = 5;
  const bool more = count > kShown;
  names.resize(std::min(count, kShown));
  return fail(ErrorCode::failed,
              fmt::format("the image '{}' is in use by {} guest{}: {}{}", image, count, count == 1 ? "" : "s",
                          join(names, ", "), more ? fmt::format(" and {} more", count - kShown) : ""),
              "remove those guests first: domsmith guest remove NAME");
}

Result<void> check_volume_free(Database& database, const ImageRecord& record) {
  std::string owner;
  auto guest = TRY(database.prepare("SELECT name FROM guests WHERE store = ? AND volume = ?"));
  if (TRY(guest.first(
          [&](const Statement& row) {
            owner = "guest";
            owner += " '" + row.text(0) + "'";
          },
          record.store, record.volume))) {
    return fail(ErrorCode::exists, fmt::format("the volume name '{}' is taken by the {}", record.volume, owner),
                "choose another name for the image");
  }
  auto image = TRY(database.prepare("SELECT name FROM images WHERE store = ? AND volume = ? AND name <> ?"));
  if (TRY(image.first([&](const Statement& row) { owner = "image '" + row.text(0) + "'"; }, record.store, record.volume,
                      record.name))) {
    return fail(ErrorCode::exists, fmt::format("the volume name '{}' is taken by the {}", record.volume, owner),
                "choose another name for the image");
  }
  return {};
}

}  // namespace

Result<void> Registry::reserve_image(const ImageRecord& record) {
  TRY(check_name("image", record.name));
  auto reserved = record;
  reserved.state = ImageState::making;
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  if (const auto found = TRY(image_in(*database_, record.store, record.name));
      found && found->operation != record.operation) {
    if (found->state != ImageState::ready) {
      return busy_image(*found);
    }
    return fail(ErrorCode::exists, fmt::format("there is an image '{}' in {} already", record.name, record.store),
                fmt::format("choose another name, or remove it first: domsmith image remove {}", record.name));
  }
  TRY(check_volume_free(*database_, record));
  TRY(put_image(*database_, reserved));
  return transaction.commit();
}

Result<void> Registry::complete_image(const ImageRecord& record) {
  auto completed = record;
  completed.state = ImageState::ready;
  completed.operation.clear();
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  const auto found = TRY(image_in(*database_, record.store, record.name));
  if (!found || found->operation != record.operation) {
    return fail(ErrorCode::not_found,
                fmt::format("the image '{}' is not reserved by operation '{}' any more", record.name, record.operation),
                "another process removed it meanwhile: build it again");
  }
  TRY(put_image(*database_, completed));
  return transaction.commit();
}

Result<ImageRecord> Registry::begin_image_removal(std::string_view store, std::string_view name,
                                                  std::string_view operation) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  auto found = TRY(image_in(*database_, store, name));
  if (!found) {
    TRY(transaction.commit());
    return find_image(store, name);  // its not_found
  }
  if (found->state != ImageState::ready && found->operation != operation) {
    return busy_image(*found);
  }
  TRY(check_unused(*database_, store, name));
  found->state = ImageState::removing;
  found->operation = operation;
  TRY(put_image(*database_, *found));
  TRY(transaction.commit());
  return *std::move(found);
}

Result<void> Registry::drop_image(std::string_view store, std::string_view name) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  TRY(check_unused(*database_, store, name));
  auto statement = TRY(database_->prepare("DELETE FROM images WHERE store = ? AND name = ?"));
  TRY(statement.run(store, name));
  return transaction.commit();
}

Result<std::vector<ImageRecord>> Registry::list_images() {
  std::vector<ImageRecord> images;
  auto statement = TRY(database_->prepare(fmt::format("SELECT {} FROM images ORDER BY name, store", image_columns())));
  TRY(statement.each([&](const Statement& row) -> Result<void> {
    images.push_back(image_of_row(row));
    return {};
  }));
  return images;
}

Result<ImageRecord> Registry::find_image(std::string_view store, std::string_view name) {
  if (auto found = TRY(image_in(*database_, store, name))) {
    return *std::move(found);
  }
  std::vector<std::string> here;
  for (const auto& image : TRY(list_images())) {
    if (image.name == name) {
      return fail(ErrorCode::not_found, fmt::format("there is no image '{}' in {}", name, store),
                  fmt::format("there is one in {0}: give --store {0}", image.store));
    }
    if (image.store == store) {
      here.push_back(image.name);
    }
  }
  const auto near = nearest(name, here);
  return fail(ErrorCode::not_found, fmt::format("there is no image '{}' in {}", name, store),
              near.empty() ? "see which there are: domsmith image list" : fmt::format("did you mean '{}'?", near));
}

Result<std::vector<ImageRecord>> Registry::find_images(std::string_view name) {
  auto images = TRY(list_images());
  std::erase_if(images, [&](const ImageRecord& image) { return image.name != name; });
  return images;
}

Result<std::vector<std::string>> Registry::guests_of_image(std::string_view store, std::string_view image) {
  return guests_in(*database_, store, image);
}

}  // namespace domsmith
