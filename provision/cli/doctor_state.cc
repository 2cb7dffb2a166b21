// domsmith's own files: settings, templates, registry, journal.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error_sentence.h"
#include "base/error_text.h"
#include "base/journal.h"
#include "base/text.h"
#include "provision/cli/doctor.h"
#include "provision/domain/template.h"
#include "provision/registry/registry.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using State = Check::State;

constexpr std::uint64_t kLittleRoomForState = 512ULL << 20;  // boot files, registry and journal are small

Check state_check(std::string name, State state, std::string text, std::string remedy = {}) {
  return {
      .area = "state", .name = std::move(name), .state = state, .text = std::move(text), .remedy = std::move(remedy)};
}

Check check_templates(const Settings& settings) {
  const auto templates = load_templates(settings.templates);
  if (!templates) {
    return state_check("templates", State::missing, error_sentence(templates.error()),
                       templates.error().code == ErrorCode::not_found
                           ? "install domsmith's templates there, or set templates = \"…\" in the settings"
                           : "see: domsmith template check");
  }
  return state_check("templates", State::ok, fmt::format("{} in {}", templates->size(), settings.templates.string()));
}

Check check_registry(const Paths& paths) {
  auto registry = Registry::open(paths.registry(), {.read_only = true});
  if (!registry && registry.error().code == ErrorCode::not_found) {
    return state_check("registry", State::ok,
                       fmt::format("{} will be made by the first build", paths.registry().string()));
  }
  if (!registry) {
    return state_check("registry", State::missing, error_sentence(registry.error()), registry.error().remedy);
  }
  const auto images = registry->list_images();
  const auto guests = registry->list_guests();
  if (!images || !guests) {
    const Error& error = images ? guests.error() : images.error();
    return state_check("registry", State::missing, error_sentence(error), error.remedy);
  }
  return state_check("registry", State::ok, fmt::format("{} images, {} guests", images->size(), guests->size()));
}

Check check_journal(const Paths& paths) {
  std::error_code error;
  if (!fs::exists(paths.journal(), error)) {
    return state_check("journal", State::ok, "nothing to recover");
  }
  const auto abandoned = Journal(paths.journal()).abandoned();
  if (!abandoned) {
    return state_check("journal", State::missing, error_sentence(abandoned.error()), abandoned.error().remedy);
  }
  if (abandoned->empty()) {
    return state_check("journal", State::ok, "nothing to recover");
  }
  std::string verbs;
  for (const Operation& operation : *abandoned) {
    verbs += (verbs.empty() ? "" : ", ") + operation.verb();
  }
  return state_check("journal", State::missing, fmt::format("{} operations were cut off: {}", abandoned->size(), verbs),
                     "domsmith recover");
}

// The nearest folder that exists, upwards.
fs::path existing(fs::path path) {
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_parent_path() && path != path.parent_path()) {
    path = path.parent_path();
  }
  return path;
}

Check check_room(const Paths& paths) {
  const fs::path folder = existing(paths.state());
  struct statvfs room{};
  if (::statvfs(folder.c_str(), &room) != 0) {
    return state_check("folder", State::missing, fmt::format("cannot look at {}", folder.string()));
  }
  if (::access(folder.c_str(), W_OK) != 0) {
    return state_check("folder", State::missing, fmt::format("this user may not write to {}", folder.string()),
                       "run as root, or keep everything below a folder of your own: --root DIR");
  }
  const std::uint64_t free = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
  return state_check("folder", free < kLittleRoomForState ? State::lacks : State::ok,
                     fmt::format("{}, {} free", paths.state().string(), size_text(free)),
                     free < kLittleRoomForState ? "make room there: boot files need some" : "");
}

}  // namespace

std::vector<Check> check_state(const Result<Settings>& settings, const fs::path& file, const Paths& paths) {
  std::vector<Check> checks;
  if (settings) {
    std::error_code ignored;
    const bool there = fs::exists(file, ignored);
    checks.push_back(
        state_check("settings", State::ok, file.string() + (there ? "" : " is not there: defaults are used")));
    checks.push_back(check_templates(*settings));
  } else {
    const auto& where = settings.error().where;
    checks.push_back(state_check(
        "settings", State::missing,
        where ? fmt::format("{}:{}:{}: {}", where->file, where->line, shown_column(*where), settings.error().what)
              : settings.error().what,
        settings.error().remedy.empty() ? "correct that file" : settings.error().remedy));
  }
  checks.push_back(check_registry(paths));
  checks.push_back(check_journal(paths));
  checks.push_back(check_room(paths));
  return checks;
}

}  // namespace domsmith
