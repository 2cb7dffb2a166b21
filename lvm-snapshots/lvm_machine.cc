#include "lvm-snapshots/lvm_machine.h"

#include <fmt/format.h>

#include <charconv>

#include "base/fail_point.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "lvm-snapshots/lvm_backup.h"
#include "lvm-snapshots/lvm_delta.h"
#include "lvm-snapshots/lvm_disk_write.h"
#include "lvm-snapshots/lvm_flush.h"
#include "lvm-snapshots/lvm_kernel.h"
#include "lvm-snapshots/lvm_lock.h"
#include "lvm-snapshots/lvm_program.h"

namespace domsmith {

namespace {

constexpr std::uint64_t longest_metadata = 512ULL << 20;
constexpr std::string_view seqno_key = "\nseqno = ";

// LVM writes it second in the text, behind the group's identifier. What stands there, and where.
std::optional<std::pair<std::size_t, std::string_view>> find_seqno(std::string_view text) {
  const std::size_t at = text.find(seqno_key);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t begin = at + seqno_key.size();
  return std::pair(begin, text.substr(begin, text.find('\n', begin) - begin));
}

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() ? std::optional(number) : std::nullopt;
}

bool has_seqno(std::string_view text, std::uint64_t wanted) {
  const auto there = find_seqno(text);
  return there && number_of(there->second) == wanted;
}

std::string with_seqno(std::string_view text, std::uint64_t number) {
  std::string changed(text);
  if (const auto there = find_seqno(text)) {
    changed.replace(there->first, there->second.size(), std::to_string(number));
  }
  return changed;
}

std::unexpected<Error> changed_meanwhile(const std::string& group) {
  return fail(ErrorCode::busy, fmt::format("VG {} was changed by somebody who does not keep LVM's lock", group),
              "try again; find out who uses --nolocking, or the same disks on another host");
}

}  // namespace

Result<const LvmSettings*> LvmHost::settings() {
  if (!settings_) {
    settings_ = TRY(lvm_settings(cache_));
  }
  return &*settings_;
}

Result<void> LvmHost::map(const std::string& pool, const std::string& name, const std::string& uuid,
                          std::uint64_t sectors, std::uint32_t device) {
  return map_thin_device(pool, name, uuid, sectors, device, TRY(settings())->udev_sync);
}

Result<void> LvmHost::unmap(const std::string& name) { return unmap_device(name, TRY(settings())->udev_sync); }

Result<std::shared_ptr<void>> LvmHost::lock() {
  TRY(settings());
  archived_ = written_by_lvm_ = false;
  written_.clear();
  // The backup is written under the lock, as LVM does it.
  struct Held {
    LvmLock lock;
    LvmHost* host;
    Held(LvmLock taken, LvmHost* by) : lock(std::move(taken)), host(by) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { host->back_up(); }
  };
  return std::make_shared<Held>(TRY(LvmLock::acquire(settings_->locking_dir, group_)), this);
}

Result<LvmTakenApart> LvmHost::read_metadata() {
  if (reader_->read(disks_below(group_))) {
    return *TRY(reader_->parts());
  }
  const TemporaryDirectory folder = TRY(TemporaryDirectory::make("domsmith-vg-"));
  const std::string file = folder.path() / "metadata";
  TRY(run_lvm_program({"vgcfgbackup", "--nolocking", "-f", file, group_}));
  return take_apart(TRY(read_file(file, longest_metadata)), group_);
}

Result<void> LvmHost::write_metadata(const std::string& text, std::uint64_t seqno) {
  const std::vector<std::filesystem::path> disks = disks_below(group_);
  const auto seen = reader_->read(disks);
  const auto writer =
      seen ? LvmGroupWriter::of(group_, **seen, disks) : Result<LvmGroupWriter>(std::unexpected(seen.error()));
  if (!writer) {
    log_debug(fmt::format("LVM writes VG {}: {}", group_, writer.error().what));
    return write_by_lvm(text, seqno);
  }
  if (!has_seqno(writer->text(), seqno)) {
    return changed_meanwhile(group_);
  }
  std::string raised = with_seqno(text, seqno + 1);
  const std::string obstacle = settings_->read_only ? "LVM's metadata_read_only is set" : writer->obstacle(raised);
  TRY(archive(writer->text()));
  if (!obstacle.empty()) {
    log_debug(fmt::format("LVM writes VG {}: {}", group_, obstacle));
    return write_by_lvm(text, seqno);
  }
  reader_->wrote(TRY(writer->write(raised)));
  written_ = std::move(raised);
  return {};
}

Result<void> LvmHost::write_by_lvm(const std::string& text, std::uint64_t seqno) {
  const std::string shown =
      trimmed(TRY(run_lvm_program({"vgs", "--nolocking", "--noheadings", "-o", "vg_seqno", group_})));
  if (number_of(shown) != seqno) {
    return changed_meanwhile(group_);
  }
  const TemporaryDirectory folder = TRY(TemporaryDirectory::make("domsmith-vg-"));
  const std::string file = folder.path() / "metadata";
  TRY(write_file_atomic(file, text, 0600));
  // --force: LVM asks for it where there are thin volumes, because it does not look whether the pool agrees; we did.
  TRY(run_lvm_program({"vgcfgrestore", "--nolocking", "--force", "--yes", "-f", file, group_}));
  written_by_lvm_ = true;
  written_.clear();
  return flush_disks(group_);
}

// Once, before the first change. LVM makes none without it.
Result<void> LvmHost::archive(std::string_view committed) {
  if (!archived_) {
    TRY(archive_lvm_text(*settings_, group_, committed, stamp_now()));
    archived_ = true;
  }
  return {};
}

// What is committed stays so, whatever becomes of its backup: LVM only complains too.
void LvmHost::back_up() {
  Result<void> done;
  if (written_by_lvm_ && written_.empty()) {
    if (auto told = run_lvm_program({"vgcfgbackup", "--nolocking", group_}); !told) {
      done = std::unexpected(std::move(told).error());
    }
  } else if (!written_.empty()) {
    done = back_up_lvm_text(*settings_, group_, written_, stamp_now());
  }
  if (!done) {
    log_info(fmt::format("VG {} has no new backup of its metadata: {}", group_, done.error().what));
  }
  written_.clear();
  written_by_lvm_ = false;
}

Result<std::vector<std::string>> LvmHost::mapped_names() { return domsmith::mapped_names(); }

namespace {

// What a program reads out of the pool's metadata while the kernel keeps a snapshot of them (thin-provisioning.rst,
// "reserve_metadata_snap").
template <class Read>
auto while_held(const std::string& pool, const char* program, Read read) -> decltype(read()) {
  TRY(lvm_program(program));
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
    return run_lvm_program({"thin_ls", "--metadata-snap", "--no-headers", "--format", "DEV", file});
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
          TRY(parse_thin_delta(TRY(run_lvm_program({"thin_delta", "--metadata-snap", "--thin1", std::to_string(origin),
                                                    "--thin2", std::to_string(device), file})))));
    }
    return all;
  });
}

}  // namespace domsmith
