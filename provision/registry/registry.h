// The registry: which names, MACs, addresses, images and guests there are. One SQLite file in WAL mode, safe for any
// number of processes at once: a write waits for its turn, and is whole or absent whatever happens to its process.
//
// Rows that an operation works on carry the operation's id (base/journal.h) and a state other than ready, so that a
// recovery finds them. The file holds the seeds of host keys: it is made 0600.
//
// A Registry is for one thread, and is not carried over fork(2) (sqlite.org/howtocorrupt.html, 2.6).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/result.h"
#include "provision/registry/mac.h"
#include "provision/registry/records.h"
#include "provision/registry/xen_configs.h"

namespace domsmith {

class Database;

struct GuestRequest {
  std::string name = {};               // of guest_names()
  std::string image = {}, store = {};  // the image must be ready in that store
  std::string volume = {};             // empty: the name
  std::string template_name = {};
  bool autostart = false;
  bool ephemeral = false;
  bool full = false;
  std::uint32_t interfaces = 1;        // how many MACs it gets; 0 is allowed
  std::vector<std::string> macs = {};  // addresses that the user chose, instead of drawn ones; empty: all are drawn
  std::optional<StaticNetwork> network = {};
};

// Makes the identity of one guest inside the transaction; its name, macs and network must be the given ones.
using IdentityMaker = std::function<Result<Identity>(const GuestRequest& request, std::span<const std::string> macs)>;

struct ReserveOptions {
  std::string operation = {};
  MacPolicy mac_policy = {};
  XenConfigs configs = {};  // of scan_xen_configs(): names and MACs there are taken
  IdentityMaker make_identity = {};
  RandomSource* random = nullptr;  // nullptr: system_random()
  const Clock* clock = nullptr;    // nullptr: system_clock()
};

struct GuestFilter {
  std::optional<std::string> image = {};
  std::optional<std::string> store = {};
  std::optional<std::string> pattern = {};  // a glob of names: * ? [..]
  std::optional<GuestState> state = {};
};

struct OperationRows {
  std::vector<ImageRecord> images = {};
  std::vector<GuestRecord> guests = {};
};

struct RegistryOptions {
  bool read_only = false;                       // not_found where the file is absent; nothing is made or migrated
  std::chrono::milliseconds patience{600'000};  // how long another process may hold the file before that is `busy`
};

class Registry {
 public:
  // Makes the file and its parents, or brings an older schema up to date. denied; unsupported: made by a newer
  // domsmith; failed: damaged, or not a registry.
  static Result<Registry> open(const std::filesystem::path& file, const RegistryOptions& options = {});
  // One without rows, in memory: for who only looks where there is no file yet.
  static Result<Registry> none();
  Registry(Registry&&) noexcept;
  Registry& operator=(Registry&&) noexcept;
  ~Registry();

  // --- images. Lists are sorted by name, then store.
  // Takes the name: state making, held by record.operation. exists: there is one; busy: another operation makes or
  // removes it. Repeating it with the same operation is fine.
  Result<void> reserve_image(const ImageRecord& record);
  // All columns as they are known now; state ready, held by nobody. not_found: it was not reserved by record.operation.
  Result<void> complete_image(const ImageRecord& record);
  // ready -> removing, held by the operation; from now on nobody can clone it. failed: guests use it (they are named);
  // busy; not_found.
  Result<ImageRecord> begin_image_removal(std::string_view store, std::string_view name, std::string_view operation);
  // The row goes, whatever its state was; an absent one is fine. failed: guests use it.
  Result<void> drop_image(std::string_view store, std::string_view name);
  Result<std::vector<ImageRecord>> list_images();
  Result<ImageRecord> find_image(std::string_view store, std::string_view name);  // not_found, with the nearest name
  Result<std::vector<ImageRecord>> find_images(std::string_view name);            // in any store; may be empty

  // --- guests. Lists are in natural order of names: web-2 before web-10.
  // All names, MACs, addresses and identities in one transaction, or none: state making, held by options.operation.
  // exists: names what is taken and by whom; not_found: the image; busy: the image is being made or removed;
  // no_space: the MAC prefix has too few addresses left. In the order of the requests.
  Result<std::vector<GuestRecord>> reserve_guests(std::span<const GuestRequest> requests,
                                                  const ReserveOptions& options);
  // making -> ready, all that the operation holds.
  Result<void> complete_guests(std::string_view operation);
  // Puts guests into a state: ready lets go of them, any other state is held by the operation. All or none. The records
  // as they are now, in the order of `names`. not_found; busy: another operation holds one.
  // Ready with an empty operation lets go of them whoever held them: for who knows that the holder is dead.
  Result<std::vector<GuestRecord>> set_state(std::span<const std::string> names, GuestState state,
                                             std::string_view operation);
  // Guests become clones of another ready image of their store, in the state resetting, held by the operation: all or
  // none. Their records as they were. busy, not_found as above.
  Result<std::vector<GuestRecord>> begin_rebase(std::span<const std::string> names, std::string_view image,
                                                std::string_view operation);
  // What begin_rebase() did is taken back: the image that a guest had, ready.
  Result<void> undo_rebase(std::string_view name, std::string_view image);
  Result<void> set_autostart(std::string_view name, bool autostart);
  // The rows go and their names, MACs and addresses are free; absent ones are fine.
  Result<void> drop_guests(std::span<const std::string> names);
  Result<std::vector<GuestRecord>> list_guests(const GuestFilter& filter = {});
  Result<GuestRecord> find_guest(std::string_view name);  // not_found, with the nearest name
  Result<std::vector<std::string>> guests_of_image(std::string_view store, std::string_view image);
  // The number from which NAME-N, NAME-(N+1), … are free in the registry.
  Result<std::uint32_t> next_free_number(std::string_view name);

  // --- recovery
  Result<OperationRows> rows_of_operation(std::string_view operation);
  // All rows that one operation holds are another's from now on: for who ends what an operation without a journal left.
  Result<void> take_over(std::string_view from, std::string_view to);
  // Operations that hold any row, sorted.
  Result<std::vector<std::string>> operations();

 private:
  explicit Registry(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace domsmith
