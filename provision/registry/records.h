// What the registry remembers, as plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "provision/identity/identity.h"

namespace domsmith {

enum class ImageState { making, ready, removing };
enum class GuestState { making, ready, resetting, removing };
std::string_view state_text(ImageState state);
std::string_view state_text(GuestState state);
std::optional<ImageState> image_state_of(std::string_view text);
std::optional<GuestState> guest_state_of(std::string_view text);

// A golden image. (store, name) is unique.
struct ImageRecord {
  std::string name = {};
  std::string version = {};
  std::string store = {};   // VolumeStore::name()
  std::string volume = {};  // its volume in the store
  std::string distribution = {}, release = {}, architecture = {};
  std::uint64_t size = 0;  // bytes, of the file system
  std::uint64_t used = 0;  // bytes, of blocks in use
  std::chrono::sys_seconds created{};
  std::string kernel_sha256 = {}, initrd_sha256 = {};  // boot files; empty: none
  std::string kernel_version = {}, cmdline = {};
  std::string recipe_sha256 = {};
  std::string filesystem_uuid = {};
  std::uint64_t packages = 0;  // how many are installed
  ImageState state = ImageState::making;
  std::string operation = {};  // the journal's id of the operation that holds it; empty when ready
  bool operator==(const ImageRecord&) const = default;
};

// A guest: a clone with an identity and a domain config. `name` is unique on the host, as Xen wants it.
struct GuestRecord {
  std::string name = {};
  std::string image = {};  // the golden image, in the same store
  std::string store = {};
  std::string volume = {};
  std::string uuid = {};  // RFC 4122 version 4, for xl's `uuid=`
  std::string template_name = {};
  bool autostart = false;
  std::chrono::sys_seconds created{};
  Identity identity = {};
  bool ephemeral = false;  // pristine at each start
  bool full = false;       // its volume is a copy that shares nothing with the image's
  GuestState state = GuestState::making;
  std::string operation = {};
  bool operator==(const GuestRecord&) const = default;
};

// For people's eyes and --json: secrets of the identity are not in it.
nlohmann::json record_json(const ImageRecord& record);
nlohmann::json record_json(const GuestRecord& record);

}  // namespace domsmith
