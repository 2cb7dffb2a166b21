#include "provision/images/make_image.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "imagebuild/boot/cache.h"
#include "imagebuild/engine/layers.h"
#include "provision/images/boot_shelf.h"

namespace domsmith {

namespace {

// A volume that is there already belongs to somebody else: it must not be in the journal as ours, for an undo would
// remove it.
Result<void> refuse_taken_volume(VolumeStore& store, const std::string& volume) {
  const auto found = store.find(volume);
  if (found) {
    return fail(ErrorCode::exists, fmt::format("the store {} has a volume '{}' already", store.name(), volume),
                fmt::format("choose another name, or remove it: domsmith image remove {}", volume));
  }
  return found.error().code == ErrorCode::not_found ? Result<void>{} : std::unexpected(found.error());
}

Result<void> make_volume(VolumeStore& store, Operation& operation, const ImageRecord& record) {
  TRY(refuse_taken_volume(store, record.volume));
  const auto made = operation.perform("volume", {{"volume", record.volume}},
                                      [&] { return store.create(record.volume, record.size); });
  if (!made && made.error().code == ErrorCode::exists) {
    TRY(operation.record("refused"));
  }
  if (!made) {
    return std::unexpected(made.error());
  }
  return {};
}

Result<void> remove_work_folder(const Workplace& place, const Operation& operation) {
  return engine::remove_tree(place.work_folder(operation));  // an absent one is fine
}

Result<Populated> fill_volume(const Workplace& place, VolumeStore& store, Operation& operation,
                              const ImageRecord& record, const Populate& populate) {
  const std::unique_ptr<BlockTarget> target = TRY(store.open(record.volume, Access::read_write));
  const std::filesystem::path work = place.work_folder(operation);
  return operation.perform("populate", nlohmann::json::object(), [&]() -> Result<Populated> {
    TRY(make_directories(work, 0700));
    Populated populated = TRY(populate(*target, work));
    TRY(target->flush());
    TRY(remove_work_folder(place, operation));
    return populated;
  });
}

Result<ImageRecord> make_steps(Workplace& place, VolumeStore& store, Operation& operation, ImageRecord record,
                               const Populate& populate) {
  record.state = ImageState::making;
  record.operation = operation.id();
  TRY(operation.perform("reserve", nlohmann::json::object(), [&] { return place.registry.reserve_image(record); }));
  TRY(make_volume(store, operation, record));
  const Populated populated = TRY(fill_volume(place, store, operation, record, populate));
  TRY(check_interrupted());
  TRY(operation.perform("seal", nlohmann::json::object(), [&] { return store.seal(record.volume); }));
  return enter_image(place, operation, std::move(record), populated);
}

Result<void> finish_removal(Workplace& place, VolumeStore& store, const std::string& image) {
  TRY(undoing("volume", [&] { return store.remove(std::array{image}); }));
  TRY(undoing("image-row", [&] { return place.registry.drop_image(store.name(), image); }));
  return undoing("boot", [&] { return clear_boot_shelf(place); });
}

// A removal that had not been committed: the image is as it was.
Result<void> undo_removal(Workplace& place, const Operation& operation) {
  for (const ImageRecord& row : TRY(place.registry.rows_of_operation(operation.id())).images) {
    TRY(undoing("image-row", [&] { return place.registry.complete_image(row); }));
  }
  return {};
}

}  // namespace

void fill_columns(ImageRecord& record, const Populated& populated) {
  record.used = populated.used;
  record.packages = populated.packages;
  record.filesystem_uuid = populated.filesystem_uuid;
  record.kernel_sha256 = populated.boot.kernel_sha256;
  record.initrd_sha256 = populated.boot.initrd_sha256;
  record.kernel_version = populated.boot.version;
  record.cmdline = populated.boot.cmdline;
  if (!populated.distribution.empty()) {
    record.distribution = populated.distribution;
    record.release = populated.release;
  }
}

Result<ImageRecord> enter_image(Workplace& place, Operation& operation, ImageRecord record,
                                const Populated& populated) {
  const FileLock shelf = TRY(hold_boot_shelf(place));
  if (!populated.boot.version.empty()) {
    TRY(operation.perform("boot", {{"kernel", populated.boot.kernel_sha256}, {"initrd", populated.boot.initrd_sha256}},
                          [&] { return boot::BootCache(place.boot).put(populated.boot); }));
  }
  fill_columns(record, populated);
  TRY(check_interrupted());
  // The registry's transaction is the moment from which the image exists: a row that the operation still holds is
  // undone.
  TRY(operation.perform("complete", nlohmann::json::object(), [&] { return place.registry.complete_image(record); }));
  record.state = ImageState::ready;
  record.operation.clear();
  return record;
}

Result<std::string_view> undo_making(Workplace& place, VolumeStore& store, const Operation& operation) {
  if (has_step(operation, "populate")) {
    TRY(undoing("work", [&] { return remove_work_folder(place, operation); }));
  }
  const OperationRows rows = TRY(place.registry.rows_of_operation(operation.id()));
  if (rows.images.empty()) {
    return has_step(operation, "complete") ? "finished" : "undid";
  }
  for (const ImageRecord& row : rows.images) {
    if (has_step(operation, "volume") && !has_step(operation, "refused")) {
      TRY(undoing("volume", [&] { return store.remove(std::array{row.volume}); }));
    }
    if (has_step(operation, "boot")) {
      TRY(undoing("boot", [&] { return clear_boot_shelf(place); }));  // the row names no boot files yet
    }
    TRY(undoing("image-row", [&] { return place.registry.drop_image(row.store, row.name); }));
  }
  return "undid";
}

Result<ImageRecord> make_image(Workplace& place, VolumeStore& store, std::string_view verb, ImageRecord record,
                               const Populate& populate, Progress& progress) {
  TRY(check_name("name of an image", record.name));
  record.store = store.name();
  record.volume = record.name;
  progress.note(fmt::format("image {} in {}", record.name, store.name()));
  Operation operation = TRY(place.journal.begin(verb, {{"store", store.name()}, {"image", record.name}}));
  return carry_out(
      std::move(operation), [&](Operation& begun) { return make_steps(place, store, begun, record, populate); },
      [&](Operation& begun) -> Result<void> {
        TRY(undo_making(place, store, begun));
        return {};
      });
}

Result<void> remove_image(Workplace& place, VolumeStore& store, std::string_view name) {
  const std::string image(name);
  Operation operation = TRY(place.journal.begin("image-remove", {{"store", store.name()}, {"image", image}}));
  return carry_out(
      std::move(operation),
      [&](Operation& begun) -> Result<void> {
        TRY(begun.perform("mark", nlohmann::json::object(),
                          [&] { return place.registry.begin_image_removal(store.name(), image, begun.id()); }));
        TRY(begun.commit());
        return finish_removal(place, store, image);
      },
      [&](Operation& begun) { return undo_removal(place, begun); });
}

bool is_image_operation(std::string_view verb) {
  return verb == "build" || verb == "import" || verb == "adopt" || verb == "promote" || verb == "image-remove" ||
         verb == "verify" || verb == "measure";
}

Result<std::string> recover_image_operation(Workplace& place, Operation& operation) {
  const std::string image = operation.parameters().value("image", "");
  const std::unique_ptr<VolumeStore> store = TRY(place.open_store(operation.parameters().value("store", "")));
  if (operation.verb() == "verify" || operation.verb() == "measure") {
    TRY(undoing("work", [&] { return remove_work_folder(place, operation); }));
    return fmt::format("removed what a check of image {} left", image);
  }
  if (operation.verb() != "image-remove") {
    return fmt::format("{} the {} of image {}", TRY(undo_making(place, *store, operation)), operation.verb(), image);
  }
  if (operation.committed()) {
    TRY(finish_removal(place, *store, image));
    return fmt::format("finished the removal of image {}", image);
  }
  TRY(undo_removal(place, operation));
  return fmt::format("undid the removal of image {}", image);
}

}  // namespace domsmith
