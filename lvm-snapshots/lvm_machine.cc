#include "lvm-snapshots/lvm_machine.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "base/fail_point.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "lvm-snapshots/lvm_config.h"
#include "lvm-snapshots/lvm_delta.h"
#include "lvm-snapshots/lvm_disk.h"
#include "lvm-snapshots/lvm_flush.h"
#include "lvm-snapshots/lvm_lock.h"

namespace domsmith {

namespace {

constexpr std::uint64_t longest_metadata = 512ULL << 20;

// What it prints. A process group of its own: a Ctrl-C at the terminal must not cut off LVM's writing.
Result<std::string> run_program(LvmCommand command) {
  command.front() = TRY(find_program(command.front()));
  Command program{.argv = std::move(command), .environment = {}, .working_directory = {}, .process_group = true};
  for (const char* variable : {"LVM_SYSTEM_DIR", "DM_DISABLE_UDEV"}) {  // where our LVM looks, theirs shall look too
    if (const char* value = std::getenv(variable); value != nullptr) {
      program.environment.push_back(fmt::format("{}={}", variable, value));
    }
  }
  return TRY(run_checked(program)).out;
}

// LVM writes it second in the text, behind the group's identifier.
std::optional<std::uint64_t> seqno_of(std::string_view text) {
  static constexpr std::string_view key = "\nseqno = ";
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(at + key.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return error == std::errc() && end != rest.data() + rest.size() && *end == '\n' ? std::optional(number)
                                                                                  : std::nullopt;
}

}  // namespace

Result<std::shared_ptr<void>> LvmHost::lock() {
  if (locking_directory_.empty()) {
    // Where a host has no lvm.conf, lvmconfig 2.03.16 has no tree to show the full settings of: an empty section is
    // one.
    const std::string setting =
        TRY(run_program({"lvmconfig", "--typeconfig", "full", "--config", "global{}", "global/locking_dir"}));
    const LvmConfigNode root = TRY(parse_lvm_config(setting, "lvmconfig global/locking_dir"));
    locking_directory_ = root.text_of("locking_dir").value_or("");
    if (!locking_directory_.starts_with('/')) {
      locking_directory_.clear();
      return fail(ErrorCode::failed, "cannot find out where LVM keeps its locks",
                  "try 'lvmconfig --typeconfig full global'");
    }
  }
  return std::make_shared<LvmLock>(TRY(LvmLock::acquire(locking_directory_, group_)));
}

Result<std::string> LvmHost::read_metadata() {
  if (auto text = read_group_text(group_, disks_below(group_))) {
    return std::move(text->text);
  }
  const TemporaryDirectory folder = TRY(TemporaryDirectory::make("domsmith-vg-"));
  const std::string file = folder.path() / "metadata";
  TRY(run_program({"vgcfgbackup", "--nolocking", "-f", file, group_}));
  return read_file(file, longest_metadata);
}

Result<std::uint64_t> LvmHost::seqno() {
  if (const auto text = read_group_text(group_, disks_below(group_))) {
    if (const auto number = seqno_of(text->text)) {
      return *number;
    }
  }
  const std::string shown = trimmed(TRY(run_program({"vgs", "--nolocking", "--noheadings", "-o", "vg_seqno", group_})));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(shown.data(), shown.data() + shown.size(), number);
  if (error != std::errc() || end != shown.data() + shown.size()) {
    return fail(ErrorCode::failed, fmt::format("cannot read the sequence number of VG {}: '{}'", group_, shown));
  }
  return number;
}

Result<void> LvmHost::write_metadata(const std::string& text) {
  const TemporaryDirectory folder = TRY(TemporaryDirectory::make("domsmith-vg-"));
  const std::string file = folder.path() / "metadata";
  TRY(write_file_atomic(file, text, 0600));
  // --force: LVM asks for it where there are thin volumes, because it does not look whether the pool agrees; we did.
  TRY(run_program({"vgcfgrestore", "--nolocking", "--force", "--yes", "-f", file, group_}));
  return flush_disks(group_);
}

namespace {

// What a program reads out of the pool's metadata while the kernel keeps a snapshot of them (thin-provisioning.rst,
// "reserve_metadata_snap").
template <class Read>
auto while_held(const std::string& pool, const char* program, Read read) -> decltype(read()) {
  TRY(find_program(program));
  TRY(thin_pool_hold_metadata(pool));
  TRY(fail_point("lvm.look.held"));
  auto seen = read();
  TRY(thin_pool_release_metadata(pool));
  return seen;
}

}  // namespace

Result<std::set<std::uint32_t>> LvmHost::devices(const std::string& pool, const std::string& pool_metadata) {
  const std::string file = TRY(mapped_device(pool_metadata));
  const std::string shown = TRY(while_held(pool, "thin_ls", [&] {
    return run_program({"thin_ls", "--metadata-snap", "--no-headers", "--format", "DEV", file});
  }));
  std::set<std::uint32_t> all;
  for (const std::string& line : split_lines(shown)) {
    const std::string digits = trimmed(line);
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      return fail(ErrorCode::failed, fmt::format("cannot read what thin_ls says of {}: '{}'", file, digits));
    }
    all.insert(id);
  }
  return all;
}

Result<std::vector<std::uint64_t>> LvmHost::differences(const std::string& pool, const std::string& pool_metadata,
                                                        DevicePairs pairs) {
  const std::string file = TRY(mapped_device(pool_metadata));
  return while_held(pool, "thin_delta", [&]() -> Result<std::vector<std::uint64_t>> {
    std::vector<std::uint64_t> all;
    for (const auto& [origin, device] : pairs) {
      all.push_back(
          TRY(parse_thin_delta(TRY(run_program({"thin_delta", "--metadata-snap", "--thin1", std::to_string(origin),
                                                "--thin2", std::to_string(device), file})))));
    }
    return all;
  });
}

}  // namespace domsmith
