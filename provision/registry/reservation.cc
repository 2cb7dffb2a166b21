// Registry::reserve_guests(): names, MACs, addresses and identities of a batch, all in one transaction or none.
#include <fmt/format.h>

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"
#include "provision/registry/database.h"
#include "provision/registry/registry.h"
#include "provision/registry/rows.h"

namespace domsmith {
namespace {

class Reservation {
 public:
  Reservation(Database& database, std::span<const GuestRequest> requests, const ReserveOptions& options)
      : database_(database),
        requests_(requests),
        options_(options),
        random_(options.random != nullptr ? *options.random : system_random()) {}

  // Inside a write transaction.
  Result<std::vector<GuestRecord>> make();

 private:
  Result<void> check_names();
  Result<void> check_volumes();
  Result<void> check_addresses();
  Result<void> read_taken_macs();
  Result<void> check_chosen_macs();
  Result<std::vector<std::string>> macs_of(const GuestRequest& request);
  Result<GuestRecord> record_of(const GuestRequest& request, std::chrono::sys_seconds now);
  [[nodiscard]] static std::string volume_of(const GuestRequest& request) {
    return request.volume.empty() ? request.name : request.volume;
  }

  Database& database_;
  std::span<const GuestRequest> requests_;
  const ReserveOptions& options_;
  RandomSource& random_;
  std::unordered_map<std::uint64_t, std::string> mac_owner_;  // who holds a MAC, as a clause
  std::vector<std::uint64_t> drawn_;  // for interfaces without a chosen MAC; the last is the next
};

// "'web-1' (a guest), 'web-2' (/etc/xen/web-2.cfg) and 98 more"
std::string taken_text(const std::vector<std::string>& taken) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> shown(taken.begin(),
                                 taken.begin() + static_cast<std::ptrdiff_t>(std::min(taken.size(), kShown)));
  auto text = join(shown, ", ");
  return taken.size() > kShown ? fmt::format("{} and {} more", text, taken.size() - kShown) : text;
}

std::string guest_owner(std::string_view state) {
  if (state == "ready") {
    return "a guest";
  }
  return fmt::format("a guest that another process is {}", state);
}

Result<void> Reservation::check_names() {
  auto by_name = TRY(database_.prepare("SELECT state FROM guests WHERE name = ?"));
  std::set<std::string_view> seen;
  std::vector<std::string> taken;
  for (const auto& request : requests_) {
    TRY(check_name("guest", request.name));
    std::string state;
    if (!seen.insert(request.name).second) {
      return fail(ErrorCode::bad_input, fmt::format("the guest '{}' was asked for twice", request.name));
    }
    if (TRY(by_name.first([&](const Statement& row) { state = row.text(0); }, request.name))) {
      taken.push_back(fmt::format("'{}' ({})", request.name, guest_owner(state)));
    } else if (const auto config = options_.configs.names.find(request.name); config != options_.configs.names.end()) {
      taken.push_back(fmt::format("'{}' ({})", request.name, config->second));
    }
  }
  if (taken.empty()) {
    return {};
  }
  return fail(ErrorCode::exists,
              fmt::format("{} taken: {}", taken.size() == 1 ? "the name is" : "these names are", taken_text(taken)),
              "choose another name, or remove what holds it: domsmith guest remove NAME");
}

Result<void> Reservation::check_volumes() {
  auto by_image = TRY(database_.prepare("SELECT name FROM images WHERE store = ? AND volume = ?"));
  auto by_guest = TRY(database_.prepare("SELECT name FROM guests WHERE store = ? AND volume = ?"));
  for (const auto& request : requests_) {
    std::string owner;
    if (TRY(by_image.first([&](const Statement& row) { owner = "image '" + row.text(0) + "'"; }, request.store,
                           volume_of(request))) ||
        TRY(by_guest.first([&](const Statement& row) { owner = "guest '" + row.text(0) + "'"; }, request.store,
                           volume_of(request)))) {
      return fail(ErrorCode::exists, fmt::format("the volume name '{}' is taken by the {}", volume_of(request), owner),
                  "choose another name for the guest");
    }
  }
  return {};
}

Result<void> check_images(Database& database, std::span<const GuestRequest> requests) {
  auto select = TRY(database.prepare("SELECT state, operation FROM images WHERE store = ? AND name = ?"));
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const auto& request : requests) {
    if (!seen.emplace(request.store, request.image).second) {
      continue;
    }
    std::string state, operation;
    if (!TRY(select.first(
            [&](const Statement& row) {
              state = row.text(0);
              operation = row.text(1);
            },
            request.store, request.image))) {
      return fail(ErrorCode::not_found, fmt::format("there is no image '{}' in {}", request.image, request.store),
                  "see which there are: domsmith image list");
    }
    if (state != "ready") {
      return fail(ErrorCode::busy,
                  fmt::format("another process is {} the image '{}' (operation {})", state, request.image, operation),
                  "wait for it; if that process is gone, clean up after it: domsmith recover");
    }
  }
  return {};
}

Result<void> Reservation::check_addresses() {
  auto by_address = TRY(database_.prepare("SELECT guest FROM addresses WHERE address = ?"));
  std::set<std::string_view> seen;
  std::vector<std::string> taken;
  for (const auto& request : requests_) {
    if (!request.network) {
      continue;
    }
    TRY(check_static_network(*request.network));
    const auto& address = request.network->address;
    std::string owner;
    // The database compares text: each address has one spelling.
    if (const auto spelling = canonical_address(address); spelling != address) {
      return fail(ErrorCode::bad_input, fmt::format("the address {} is to be written {}", address, *spelling));
    }
    if (!seen.insert(address).second) {
      return fail(ErrorCode::bad_input, fmt::format("the address {} was asked for twice", address));
    }
    if (TRY(by_address.first([&](const Statement& row) { owner = row.text(0); }, address))) {
      taken.push_back(fmt::format("{} (guest '{}')", address, owner));
    }
  }
  if (taken.empty()) {
    return {};
  }
  return fail(
      ErrorCode::exists,
      fmt::format("{} taken: {}", taken.size() == 1 ? "the address is" : "these addresses are", taken_text(taken)),
      "start at an address behind the last one that is taken");
}

Result<void> Reservation::read_taken_macs() {
  for (const auto& [mac, file] : options_.configs.macs) {
    if (const auto number = mac_number(mac)) {
      mac_owner_.emplace(*number, file);
    }
  }
  auto select = TRY(database_.prepare("SELECT mac, guest FROM macs"));
  return select.each([&](const Statement& row) -> Result<void> {
    if (const auto number = mac_number(row.text(0))) {
      mac_owner_.insert_or_assign(*number, fmt::format("guest '{}'", row.text(1)));
    }
    return {};
  });
}

Result<void> Reservation::check_chosen_macs() {
  for (const auto& request : requests_) {
    for (const auto& mac : request.macs) {
      const auto number = mac_number(mac);
      if (!number || is_multicast_mac(*number) || *number == 0) {
        return fail(ErrorCode::bad_input, fmt::format("'{}' is no MAC address that an interface can have", mac),
                    "write six bytes in hexadecimal, the first of them even, for example 00:16:3e:00:00:01");
      }
      if (const auto [owner, fresh] = mac_owner_.emplace(*number, fmt::format("guest '{}'", request.name)); !fresh) {
        return fail(ErrorCode::exists, fmt::format("the MAC address {} is taken: {}", mac_text(*number), owner->second),
                    "choose another, or leave it out: a free one is drawn");
      }
    }
  }
  return {};
}

Result<std::vector<std::string>> Reservation::macs_of(const GuestRequest& request) {
  std::vector<std::string> macs;
  for (const auto& mac : request.macs) {
    macs.push_back(canonical_mac(mac).value_or(mac));
  }
  while (macs.size() < request.interfaces && !drawn_.empty()) {
    macs.push_back(mac_text(drawn_.back()));
    drawn_.pop_back();
  }
  return macs;
}

Result<GuestRecord> Reservation::record_of(const GuestRequest& request, std::chrono::sys_seconds now) {
  const auto macs = TRY(macs_of(request));
  // Not inside the braces below: a return out of a half-made aggregate leaks the members that were made (GCC 12).
  auto identity = TRY(options_.make_identity(request, macs));
  GuestRecord record{.name = request.name,
                     .image = request.image,
                     .store = request.store,
                     .volume = volume_of(request),
                     .uuid = random_uuid(random_),
                     .template_name = request.template_name,
                     .autostart = request.autostart,
                     .created = now,
                     .identity = std::move(identity),
                     .ephemeral = request.ephemeral,
                     .full = request.full,
                     .state = GuestState::making,
                     .operation = options_.operation};
  if (record.identity.macs != macs || record.identity.network != request.network) {
    return fail(ErrorCode::failed,
                fmt::format("the identity of guest '{}' is not the one that was reserved", request.name));
  }
  return record;
}

Result<std::vector<GuestRecord>> Reservation::make() {
  TRY(check_images(database_, requests_));
  TRY(check_names());
  TRY(check_volumes());
  TRY(check_addresses());
  TRY(read_taken_macs());
  TRY(check_chosen_macs());
  std::size_t wanted = 0;
  for (const auto& request : requests_) {
    wanted += request.interfaces > request.macs.size() ? request.interfaces - request.macs.size() : 0;
  }
  std::unordered_set<std::uint64_t> taken;
  for (const auto& [mac, owner] : mac_owner_) {
    taken.insert(mac);
  }
  drawn_ = TRY(draw_macs(options_.mac_policy, wanted, taken, random_));
  auto inserter = TRY(GuestInserter::make(database_));
  const auto now = (options_.clock != nullptr ? *options_.clock : system_clock()).now();
  std::vector<GuestRecord> records;
  records.reserve(requests_.size());
  for (const auto& request : requests_) {
    auto record = TRY(record_of(request, now));
    TRY_AS(inserter.insert(record), fmt::format("cannot reserve the guest '{}'", record.name));
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

Result<std::vector<GuestRecord>> Registry::reserve_guests(std::span<const GuestRequest> requests,
                                                          const ReserveOptions& options) {
  auto transaction = TRY(Transaction::begin(*database_, Transaction::Kind::write));
  auto records = TRY(Reservation(*database_, requests, options).make());
  TRY(transaction.commit());
  return records;
}

}  // namespace domsmith
