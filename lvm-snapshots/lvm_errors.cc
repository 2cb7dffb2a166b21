#include "lvm-snapshots/lvm_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace domsmith {

namespace {

struct Sentence {
  std::string_view part;
  ErrorCode code;
  std::string_view remedy;
};

constexpr std::string_view more_metadata =
    "make the volume group anew with a larger metadata area: vgcreate --metadatasize 64m";
constexpr std::string_view more_pool = "extend the pool: lvextend -L +1G VG/POOL, or remove what is not needed";
constexpr std::string_view in_use = "stop the guest that runs from it, or close what has it open";

constexpr std::string_view more_disk = "add a disk to the volume group (vgextend), or remove what is not needed";

// The most telling first; the texts are those of LVM's source (lib/metadata, lib/activate, lib/format_text, tools).
constexpr std::array<Sentence, 20> sentences{{
    {"too large for circular buffer", ErrorCode::no_space, more_metadata},
    {"insufficient free space", ErrorCode::no_space, more_disk},
    {"nsufficient suitable", ErrorCode::no_space, more_disk},
    {"No free extents", ErrorCode::no_space, more_disk},
    {"reached threshold", ErrorCode::no_space, more_pool},
    {"above threshold", ErrorCode::no_space, more_pool},
    {"out of data space", ErrorCode::no_space, more_pool},
    {"equired device-mapper target(s) not detected", ErrorCode::unsupported,
     "load it: modprobe -a dm_thin_pool dm_snapshot"},
    {"s device-mapper driver missing from kernel", ErrorCode::unsupported, "load it: modprobe dm_mod"},
    {"needs check", ErrorCode::failed,
     "have it checked: lvchange -an VG/POOL, then lvchange -ay --config "
     "'global/thin_check_options=[\"-q\",\"--clear-needs-check-flag\"]' VG/POOL"},
    {"thin_check", ErrorCode::failed, "install it: apt-get install thin-provisioning-tools"},
    {"Check of pool", ErrorCode::failed, "look at it: thin_check, then lvconvert --repair VG/POOL"},
    {"already exists in", ErrorCode::exists, "choose another name"},
    {"are reserved", ErrorCode::bad_input, "choose another name"},
    {"in use", ErrorCode::busy, in_use},
    {"used by another device", ErrorCode::busy, in_use},
    {"Can't get lock", ErrorCode::busy, "wait for the LVM command that holds it"},
    {"Permission denied", ErrorCode::denied, "run it as root"},
    {"Failed to find logical volume", ErrorCode::not_found, ""},
    {"not found", ErrorCode::not_found, ""},
}};

}  // namespace

Error lvm_error(std::string headline, const LvmOutcome& outcome) {
  Error error;
  error.what = std::move(headline);
  error.causes = outcome.errors.empty() ? outcome.warnings : outcome.errors;
  for (const Sentence& sentence : sentences) {
    if (std::ranges::any_of(error.causes, [&](const std::string& cause) { return cause.contains(sentence.part); })) {
      error.code = sentence.code;
      error.remedy = sentence.remedy;
      break;
    }
  }
  return error;
}

namespace lvm_refusal {

std::unexpected<Error> not_root(std::string_view store) {
  return fail(ErrorCode::denied, fmt::format("only root can use {}", store),
              "run it with sudo, or use a folder: --store dir:PATH");
}

std::unexpected<Error> no_device_mapper(std::string_view store) {
  return fail(ErrorCode::unsupported, fmt::format("this kernel has no device-mapper, which {} needs", store),
              "load it (modprobe dm_mod), or use a folder: --store dir:PATH");
}

std::unexpected<Error> no_group(std::string_view group) {
  return fail(
      ErrorCode::not_found, fmt::format("there is no volume group '{}'", group),
      fmt::format("'vgs' shows those there are; make one with: vgcreate --metadatasize 64m {} /dev/DISK", group));
}

std::unexpected<Error> no_pool(std::string_view group, std::string_view pool) {
  return fail(
      ErrorCode::not_found, fmt::format("VG {} has no thin pool '{}'", group, pool),
      fmt::format("make one: lvcreate --type thin-pool -l 90%FREE -n {1} {0}; or use lvm:{0} for classic snapshots",
                  group, pool));
}

std::unexpected<Error> not_a_pool(std::string_view group, std::string_view pool) {
  return fail(ErrorCode::bad_input, fmt::format("{}/{} is not a thin pool", group, pool),
              fmt::format("'lvs {0}' shows what there is; lvm:{0} uses classic snapshots", group));
}

std::unexpected<Error> pool_full(std::string_view group, std::string_view pool, bool metadata, double percent) {
  return fail(
      ErrorCode::no_space,
      fmt::format("thin pool {}/{} has used {:.1f} % of its {}", group, pool, percent, metadata ? "metadata" : "data"),
      fmt::format("extend it: lvextend {} {}/{}; or remove what is not needed",
                  metadata ? "--poolmetadatasize +64M" : "-L +1G", group, pool));
}

std::unexpected<Error> metadata_area_full(std::string_view group, std::uint64_t needed, std::uint64_t free) {
  return fail(ErrorCode::no_space,
              fmt::format("the metadata area of VG {} has {} left, and about {} are needed", group, size_text(free),
                          size_text(needed)),
              "remove what is not needed, or make the volume group anew: vgcreate --metadatasize 64m");
}

std::unexpected<Error> group_full(std::string_view group, std::uint64_t needed, std::uint64_t free) {
  return fail(
      ErrorCode::no_space,
      fmt::format("VG {} has {} left, and {} are needed", group, size_text(free), size_text(needed)),
      fmt::format("add a disk (vgextend {0} /dev/DISK), remove what is not needed, or use a thin pool: lvm:{0}/POOL",
                  group));
}

std::unexpected<Error> not_ours(std::string_view group, std::string_view name) {
  return fail(ErrorCode::exists, fmt::format("VG {} has a volume '{}' that is not domsmith's", group, name),
              "choose another name; domsmith leaves that volume alone");
}

}  // namespace lvm_refusal

}  // namespace domsmith
