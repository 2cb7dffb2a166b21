#include "provision/registry/records.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"

namespace domsmith {
namespace {

constexpr std::array<std::pair<ImageState, std::string_view>, 3> kImageStates{{
    {ImageState::making, "making"},
    {ImageState::ready, "ready"},
    {ImageState::removing, "removing"},
}};
constexpr std::array<std::pair<GuestState, std::string_view>, 4> kGuestStates{{
    {GuestState::making, "making"},
    {GuestState::ready, "ready"},
    {GuestState::resetting, "resetting"},
    {GuestState::removing, "removing"},
}};

template <class Table, class State>
std::string_view text_in(const Table& table, State state) {
  for (const auto& [value, text] : table) {
    if (value == state) {
      return text;
    }
  }
  return {};
}

template <class State, std::size_t count>
std::optional<State> state_in(const std::array<std::pair<State, std::string_view>, count>& table,
                              std::string_view text) {
  for (const auto& [value, name] : table) {
    if (name == text) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view state_text(ImageState state) { return text_in(kImageStates, state); }
std::string_view state_text(GuestState state) { return text_in(kGuestStates, state); }
std::optional<ImageState> image_state_of(std::string_view text) { return state_in(kImageStates, text); }
std::optional<GuestState> guest_state_of(std::string_view text) { return state_in(kGuestStates, text); }

nlohmann::json record_json(const ImageRecord& record) {
  return {{"name", record.name},
          {"version", record.version},
          {"store", record.store},
          {"volume", record.volume},
          {"distribution", record.distribution},
          {"release", record.release},
          {"architecture", record.architecture},
          {"size", record.size},
          {"used", record.used},
          {"created", utc_text(record.created)},
          {"kernel_sha256", record.kernel_sha256},
          {"initrd_sha256", record.initrd_sha256},
          {"kernel_version", record.kernel_version},
          {"cmdline", record.cmdline},
          {"recipe_sha256", record.recipe_sha256},
          {"filesystem_uuid", record.filesystem_uuid},
          {"packages", record.packages},
          {"state", state_text(record.state)},
          {"operation", record.operation}};
}

nlohmann::json record_json(const GuestRecord& record) {
  return {{"name", record.name},
          {"image", record.image},
          {"store", record.store},
          {"volume", record.volume},
          {"uuid", record.uuid},
          {"template", record.template_name},
          {"autostart", record.autostart},
          {"created", utc_text(record.created)},
          {"identity", identity_public_json(record.identity)},
          {"macs", record.identity.macs},
          {"machine_id", record.identity.machine_id},
          {"ephemeral", record.ephemeral},
          {"full", record.full},
          {"state", state_text(record.state)},
          {"operation", record.operation}};
}

}  // namespace domsmith
