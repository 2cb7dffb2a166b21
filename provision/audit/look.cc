#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/error_sentence.h"
#include "imagebuild/boot/cache.h"
#include "provision/audit/world.h"

namespace domsmith {

namespace fs = std::filesystem;

const VolumeInfo* StoreView::find(std::string_view volume) const {
  const auto found = std::ranges::lower_bound(survey.volumes, volume, {}, &VolumeInfo::name);
  return found != survey.volumes.end() && found->name == volume ? &*found : nullptr;
}

const StoreView* World::store(std::string_view name) const {
  const auto found = std::ranges::find(stores, name, &StoreView::name);
  return found != stores.end() ? &*found : nullptr;
}

const ImageRecord* World::image(std::string_view store_name, std::string_view name) const {
  const auto found = std::ranges::find_if(
      images, [&](const ImageRecord& image) { return image.store == store_name && image.name == name; });
  return found != images.end() ? &*found : nullptr;
}

std::unordered_set<std::string_view> World::owned_volumes(std::string_view store_name) const {
  std::unordered_set<std::string_view> owned;
  for (const ImageRecord& image : images) {
    if (image.store == store_name) {
      owned.insert(image.volume);
    }
  }
  for (const GuestRecord& guest : guests) {
    if (guest.store == store_name) {
      owned.insert(guest.volume);
    }
  }
  return owned;
}

namespace {

StoreView view_of(Workplace& place, const std::string& name) {
  StoreView view{.name = name, .survey = {}, .unreadable = {}};
  auto survey = [&]() -> Result<StoreSurvey> { return TRY(place.open_store(name))->survey(); }();
  if (survey) {
    view.survey = *std::move(survey);
  } else {
    view.unreadable = error_sentence(survey.error());
  }
  return view;
}

Result<std::set<std::string>> store_names(Workplace& place, const std::vector<std::string>& more) {
  std::set<std::string> names(more.begin(), more.end());
  for (const ImageRecord& image : TRY(place.registry.list_images())) {
    names.insert(image.store);  // a guest's store is its image's
  }
  return names;
}

Result<void> look_at_journal(const Workplace& place, World& world) {
  for (const std::string& id : TRY(place.journal.running())) {
    world.running.insert(id);
  }
  for (const Operation& operation : TRY(place.journal.abandoned())) {
    world.cut_off.insert(operation.id());
  }
  std::error_code error;
  for (fs::directory_iterator it(place.work_folders(), error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!world.running.contains(name) && !world.cut_off.contains(name)) {
      world.strays.push_back(std::move(name));
    }
  }
  std::ranges::sort(world.strays);
  return {};
}

Result<void> look_at_boot_files(World& world) {
  std::error_code error;
  for (fs::directory_iterator it(world.boot, error), end; !error && it != end; it.increment(error)) {
    world.boot_files.insert(it->path().filename().string());
  }
  std::set<std::string> named;
  for (const ImageRecord& image : world.images) {
    named.insert({image.kernel_sha256, image.initrd_sha256});
  }
  world.idle_boot_files = TRY(boot::BootCache(world.boot).unreferenced(named));
  return {};
}

}  // namespace

// The registry is asked last: a volume or config of a new guest has its row before it is made.
Result<World> look_at_world(Workplace& place, const std::vector<std::string>& stores, Toolstack* toolstack) {
  World world;
  world.xen = place.xen;
  world.boot = place.boot;
  TRY(look_at_journal(place, world));
  for (const std::string& name : TRY(store_names(place, stores))) {
    world.stores.push_back(view_of(place, name));
  }
  world.configs = TRY(glance_at_configs(place.xen));
  if (toolstack != nullptr) {
    world.domains.emplace();
    for (RunningDomain& domain : TRY(toolstack->list())) {
      world.domains->emplace(domain.name, std::move(domain));
    }
  }
  world.images = TRY(place.registry.list_images());
  world.guests = TRY(place.registry.list_guests());
  TRY(look_at_boot_files(world));
  return world;
}

}  // namespace domsmith
