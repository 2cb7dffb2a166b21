#include "lvm-snapshots/store_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"

namespace domsmith::store_rules {

Result<void> check_names(std::span<const std::string> names) {
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    TRY(check_name("volume name", name));
    if (!seen.insert(name).second) {
      return fail(ErrorCode::bad_input, fmt::format("volume '{}' is named twice", name), "name each volume once");
    }
  }
  return {};
}

Result<void> check_new(std::string_view name, std::uint64_t size) {
  TRY(check_name("volume name", name));
  if (size == 0) {
    return fail(ErrorCode::bad_input, fmt::format("volume '{}' would have no size", name),
                "give it a size of 1 MiB or more");
  }
  if (size > (1ULL << 62)) {
    return fail(ErrorCode::bad_input, fmt::format("volume '{}' would be too large ({} bytes)", name, size),
                "give it a smaller size");
  }
  return {};
}

std::unexpected<Error> absent(std::string_view store, std::string_view name) {
  return fail(ErrorCode::not_found, fmt::format("there is no volume '{}' in {}", name, store),
              "'domsmith image list' and 'domsmith list' show what there is");
}

std::unexpected<Error> taken(std::string_view store, std::string_view name) {
  return fail(ErrorCode::exists, fmt::format("volume '{}' exists already in {}", name, store),
              "choose another name, or remove that volume first");
}

std::unexpected<Error> in_use(std::string_view name) {
  return fail(ErrorCode::busy, fmt::format("volume '{}' is in use", name),
              "stop the guest that runs from it, or wait for the process that works on it");
}

std::unexpected<Error> is_fresh(std::string_view name) {
  return fail(ErrorCode::unsupported, fmt::format("volume '{}' holds no identity yet", name),
              "'domsmith guest start' writes it, and so does 'domsmith guest settle'");
}

std::unexpected<Error> golden_is_read_only(std::string_view name) {
  return fail(ErrorCode::unsupported, fmt::format("golden image '{}' is read-only", name),
              "make a clone of it, or build it anew");
}

std::unexpected<Error> golden_has_clones(std::string_view name, std::span<const std::string> clones) {
  static constexpr std::size_t shown = 3;
  const std::string some = join(clones.first(std::min(shown, clones.size())), ", ");
  return fail(ErrorCode::busy,
              fmt::format("golden image '{}' has {} clone{} ({}{})", name, clones.size(), clones.size() == 1 ? "" : "s",
                          some, clones.size() > shown ? ", …" : ""),
              "remove its clones first");
}

std::string_view kind_text(VolumeKind kind) {
  switch (kind) {
    case VolumeKind::staging:
      return "an unfinished image";
    case VolumeKind::golden:
      return "a golden image";
    case VolumeKind::clone:
      break;
  }
  return "a clone";
}

Result<void> check_origin(std::string_view name, VolumeKind kind) {
  if (kind == VolumeKind::golden) {
    return {};
  }
  return fail(ErrorCode::unsupported,
              fmt::format("'{}' is {}, and only golden images are cloned", name, kind_text(kind)),
              "name a golden image: 'domsmith image list' shows them");
}

Result<void> check_is_clone(std::string_view name, VolumeKind kind, std::string_view verb) {
  if (kind == VolumeKind::clone) {
    return {};
  }
  return fail(ErrorCode::unsupported, fmt::format("'{}' is {}, and only clones can {}", name, kind_text(kind), verb),
              "name a clone: 'domsmith list' shows them");
}

Result<void> check_adoptable(std::string_view name, VolumeKind kind) {
  if (kind == VolumeKind::staging) {
    return {};
  }
  return fail(ErrorCode::unsupported, fmt::format("'{}' is {} already", name, kind_text(kind)));
}

Result<void> check_sealable(std::string_view name, VolumeKind kind) {
  if (kind != VolumeKind::clone) {
    return {};
  }
  return fail(ErrorCode::unsupported, fmt::format("'{}' is a clone and cannot be sealed as an image", name));
}

}  // namespace domsmith::store_rules
