#include "provision/guests/clone.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "base/text.h"
#include "provision/domain/config_dir.h"
#include "provision/guests/domain_specs.h"
#include "provision/guests/fresh_volumes.h"
#include "provision/guests/settle.h"

namespace domsmith {

namespace {

// Where the registry, the journal and the configs go: some KiB a guest, and room for what they are rewritten from.
Result<void> check_host_room(const Workplace& place, std::size_t count) {
  static constexpr std::uint64_t each = 16U << 10;
  static constexpr std::uint64_t reserve = 8U << 20;
  std::error_code error;
  for (const std::filesystem::path& folder : {place.state, place.xen}) {
    const std::filesystem::space_info room = std::filesystem::space(folder, error);
    if (!error && room.available < each * count + reserve) {
      return fail(ErrorCode::no_space,
                  fmt::format("{} clone{} need {} in {}, and {} are free", count, count == 1 ? "" : "s",
                              size_text(each * count + reserve), folder.string(), size_text(room.available)),
                  "free some space there");
    }
  }
  return {};  // a folder that is not there yet is made by the clone
}

}  // namespace

Result<ClonePlan> plan_clone(const Workplace& place, VolumeStore& store, const ImageRecord& image,
                             const DomainTemplate& domain, const CloneRequest& request) {
  ClonePlan plan;
  plan.names = TRY(guest_names(request.name, request.count, request.first));
  if (request.network) {
    plan.networks = TRY(consecutive_networks(*request.network, request.count));
  }
  if (!request.macs.empty() && request.count != 1) {
    return fail(ErrorCode::bad_input, "a chosen MAC is for one clone, not for several", "leave out --mac, or --count");
  }
  if (image.kernel_sha256.empty()) {
    return fail(ErrorCode::unsupported,
                fmt::format("image '{}' has no kernel, so its clones could not boot", image.name),
                "give its recipe a [boot] kernel and build it again");
  }
  plan.image = image;
  plan.domain = domain;
  plan.request = request;
  if (request.ephemeral && request.autostart) {
    return fail(ErrorCode::bad_input, "an ephemeral guest is reset by domsmith at each start, and the host does not",
                "leave out --autostart, or --ephemeral");
  }
  const StoreStatus status = TRY(store.status());
  TRY(admit_clones(status, plan.names.size(), request.full ? image.used : 0));
  TRY(check_host_room(place, plan.names.size()));
  plan.method = request.full ? std::string("full copy") : status.method;
  plan.volume_commands =
      request.full ? plan_full_copies(store, image, plan.names) : store.plan_clone(image.volume, plan.names);
  plan.identities_wait = store.makes_fresh() && !request.settle && !request.autostart && !request.full;
  plan.xen = place.xen;
  return plan;
}

std::string plan_text(const ClonePlan& plan) {
  std::string text =
      fmt::format("{} of image {} in {}, by {}\n",
                  plan.names.size() == 1 ? std::string("one clone") : fmt::format("{} clones", plan.names.size()),
                  plan.image.name, plan.image.store, plan.method);
  for (const std::string& command : plan.volume_commands) {
    text += fmt::format("  run: {}\n", command);
  }
  for (std::size_t i = 0; i < plan.names.size(); ++i) {
    text +=
        fmt::format("  {}: volume, identity ({}){}, {}\n", plan.names[i],
                    plan.networks.empty() ? std::string("DHCP") : plan.networks[i].address,
                    plan.identities_wait ? " at its first start" : "", config_path(plan.xen, plan.names[i]).string());
  }
  return text + fmt::format("  each: {} guest, {} memory, {} vcpu{}, a MAC below {}\n", type_word(plan.domain.type),
                            size_text(plan.domain.memory), plan.domain.vcpus, plan.domain.vcpus == 1 ? "" : "s",
                            plan.request.mac_policy.text());
}

nlohmann::json plan_json(const ClonePlan& plan) {
  nlohmann::json guests = nlohmann::json::array();
  for (std::size_t i = 0; i < plan.names.size(); ++i) {
    nlohmann::json guest{{"name", plan.names[i]}, {"config", config_path(plan.xen, plan.names[i]).string()}};
    if (!plan.networks.empty()) {
      guest["address"] = plan.networks[i].address;
    }
    guests.push_back(std::move(guest));
  }
  return {{"verb", "clone"},
          {"image", plan.image.name},
          {"store", plan.image.store},
          {"method", plan.method},
          {"template", plan.domain.name},
          {"identities_wait", plan.identities_wait},
          {"ephemeral", plan.request.ephemeral},
          {"full", plan.request.full},
          {"volume_commands", plan.volume_commands},
          {"guests", std::move(guests)}};
}

namespace {

std::filesystem::path config_memory(const Workplace& place) { return place.state / "configs-read"; }

Result<std::vector<GuestRecord>> reserve(Workplace& place, const ClonePlan& plan, const std::string& operation) {
  std::vector<GuestRequest> requests;
  for (std::size_t i = 0; i < plan.names.size(); ++i) {
    GuestRequest request;
    request.name = plan.names[i];
    request.image = plan.image.name;
    request.store = plan.image.store;
    request.volume = plan.names[i];
    request.template_name = plan.domain.name;
    request.autostart = plan.request.autostart;
    request.ephemeral = plan.request.ephemeral;
    request.full = plan.request.full;
    request.interfaces = static_cast<std::uint32_t>(plan.domain.vifs.size());
    request.macs = plan.request.macs;
    if (!plan.networks.empty()) {
      request.network = plan.networks[i];
    }
    requests.push_back(std::move(request));
  }
  ReserveOptions options;
  options.operation = operation;
  options.mac_policy = plan.request.mac_policy;
  options.configs = scan_xen_configs(place.xen, config_memory(place));
  options.make_identity = [&](const GuestRequest& request, std::span<const std::string> macs) {
    return make_identity(request.name, macs, {request.network, plan.request.authorized_keys}, system_random());
  };
  return place.registry.reserve_guests(requests, options);
}

// The volumes must be nobody's before the journal calls them ours: an undo removes what the journal names.
Result<void> refuse_taken_volumes(VolumeStore& store, const std::vector<std::string>& names) {
  const std::vector<VolumeInfo> volumes = TRY(store.list());  // sorted by name
  for (const std::string& name : names) {
    if (std::ranges::binary_search(volumes, name, {}, &VolumeInfo::name)) {
      return fail(ErrorCode::exists, fmt::format("the store {} has a volume '{}' already", store.name(), name),
                  "choose another name; what nobody owns is found by: domsmith doctor");
    }
  }
  return {};
}

Result<void> make_volumes(VolumeStore& store, Operation& operation, const ClonePlan& plan,
                          std::span<const GuestRecord> guests, Progress& progress) {
  TRY(refuse_taken_volumes(store, plan.names));
  const auto made = operation.perform("volumes", {{"names", plan.names}}, [&] {
    return plan.request.full ? make_full_copies(store, plan.image, guests, progress)
                             : store.clone(plan.image.volume, plan.names);
  });
  if (!made && made.error().code == ErrorCode::exists) {
    TRY(operation.record("refused"));
  }
  return made;
}

Result<std::vector<GuestRecord>> clone_steps(Workplace& place, VolumeStore& store, Operation& operation,
                                             const ClonePlan& plan, Progress& progress) {
  std::vector<GuestRecord> guests =
      TRY(operation.perform("reserve", nlohmann::json::object(), [&] { return reserve(place, plan, operation.id()); }));
  TRY(make_volumes(store, operation, plan, guests, progress));
  if (!plan.identities_wait && !plan.request.full) {
    TRY(operation.perform("identities", nlohmann::json::object(),
                          [&] { return settle_identities(store, guests, progress); }));
  }
  const std::vector<DomainSpec> specs =
      TRY(domain_specs(place, store, {plan.image, plan.domain, plan.request.bridge}, guests));
  TRY(operation.perform("configs", nlohmann::json::object(), [&]() -> Result<void> {
    auto put = put_configs(place.xen, specs);
    if (!put) {
      TRY(operation.record("configs-refused"));  // it has taken back its own; what is there now is somebody else's
    }
    return put;
  }));
  TRY(check_interrupted());
  // The registry's transaction is the moment from which the guests exist.
  TRY(operation.perform("complete", nlohmann::json::object(),
                        [&] { return place.registry.complete_guests(operation.id()); }));
  remember_xen_configs(place.xen, config_memory(place), plan.names);
  for (GuestRecord& guest : guests) {
    guest.state = GuestState::ready;
    guest.operation.clear();
  }
  return guests;
}

}  // namespace

Result<std::string_view> undo_clone(Workplace& place, VolumeStore& store, const Operation& operation) {
  std::vector<std::string> names;
  for (const GuestRecord& guest : TRY(place.registry.rows_of_operation(operation.id())).guests) {
    names.push_back(guest.name);
  }
  if (names.empty()) {
    return has_step(operation, "complete") ? "finished" : "undid";
  }
  if (has_step(operation, "configs") && !has_step(operation, "configs-refused")) {
    TRY(undoing("configs", [&] { return remove_configs(place.xen, names); }));
  }
  if (has_step(operation, "volumes") && !has_step(operation, "refused")) {
    TRY(undoing("volumes", [&] { return store.remove(names); }));
  }
  TRY(undoing("guest-rows", [&] { return place.registry.drop_guests(names); }));
  return "undid";
}

Result<std::vector<GuestRecord>> clone_guests(Workplace& place, VolumeStore& store, const ClonePlan& plan,
                                              Progress& progress) {
  Operation operation = TRY(place.journal.begin("clone", {{"store", store.name()}, {"image", plan.image.name}}));
  return carry_out(
      std::move(operation), [&](Operation& begun) { return clone_steps(place, store, begun, plan, progress); },
      [&](Operation& begun) -> Result<void> {
        TRY(undo_clone(place, store, begun));
        return {};
      });
}

}  // namespace domsmith
