#include "hypervisor/installer/firmware_entry.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/file.h"
#include "base/little_endian.h"
#include "hypervisor/installer/partition_table.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view global = "8be4df61-93ca-11d2-aa0d-00e098032b8c";  // EFI_GLOBAL_VARIABLE
constexpr std::uint64_t block = 512;
constexpr std::size_t attributes_size = 4;   // in front of each variable's own bytes
constexpr std::uint32_t attributes = 7;      // kept, and there before and after the start
constexpr std::uint32_t active = 1;          // LOAD_OPTION_ACTIVE
constexpr std::size_t title_offset = 4 + 2;  // in an EFI_LOAD_OPTION: its attributes, its path's length
constexpr std::uint64_t variable_limit = 64U << 10;

// UCS-2 with its end.
std::string wide(std::string_view text) {
  std::string bytes;
  for (const char c : text) {
    bytes += little_endian(static_cast<unsigned char>(c), 2);
  }
  return bytes + little_endian(0, 2);
}

// EFI_DEVICE_PATH_PROTOCOL: type, subtype, length of the whole node.
std::string node(unsigned type, unsigned subtype, const std::string& bytes) {
  return little_endian(type, 1) + little_endian(subtype, 1) + little_endian(bytes.size() + 4, 2) + bytes;
}

fs::path variable(const fs::path& folder, const std::string& name) {
  return folder / fmt::format("{}-{}", name, global);
}

Result<std::string> read_variable(const fs::path& file) {
  const std::string bytes = TRY(read_file(file, variable_limit));
  return bytes.size() < attributes_size ? std::string() : bytes.substr(attributes_size);
}

// In one write: each is a change of the variable (efivarfs).
Result<void> write_variable(const fs::path& file, const std::string& bytes) {
  const Fd fd = TRY(open_fd(file.string(), O_WRONLY | O_CREAT | O_TRUNC, 0644));
  return write_all(fd.get(), little_endian(attributes, attributes_size) + bytes);
}

// "Boot0003-8be4df61-..." -> 3
std::optional<unsigned> entry_number(const std::string& file) {
  constexpr std::size_t digits = 4;
  unsigned value = 0;
  if (!file.starts_with("Boot") || file.size() != 4 + digits + 1 + global.size() || !file.ends_with(global)) {
    return std::nullopt;
  }
  const char* const from = file.data() + 4;
  const auto read = std::from_chars(from, from + digits, value, 16);
  return read.ptr == from + digits ? std::optional(value) : std::nullopt;
}

// Each entry there is, and whether it bears the title.
Result<std::map<unsigned, bool>> entries_of(const fs::path& folder, const std::string& title) {
  std::map<unsigned, bool> entries;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder, error)) {
    if (const auto found = entry_number(file.path().filename().string())) {
      const std::string option = TRY(read_variable(file.path()));
      entries[*found] = option.size() > title_offset && option.substr(title_offset).starts_with(wide(title));
    }
  }
  if (error) {
    return fail(ErrorCode::failed, fmt::format("cannot read the firmware's variables: {}", error.message()));
  }
  return entries;
}

unsigned number_for(const std::map<unsigned, bool>& entries) {
  unsigned free = 0;
  for (const auto& [taken, ours] : entries) {
    if (ours) {
      return taken;
    }
    free += taken == free ? 1 : 0;
  }
  return free;
}

}  // namespace

Result<std::string> load_option(const FirmwareEntry& entry) {
  constexpr unsigned media = 4;
  const std::string place = little_endian(entry.partition, 4) + little_endian(entry.start / block, 8) +
                            little_endian(entry.size / block, 8) + TRY(guid_bytes(entry.guid)) + little_endian(2, 1) +
                            little_endian(2, 1);  // a GPT, and a GUID
  const std::string path = node(media, 1, place) + node(media, 4, wide(entry.program)) + node(0x7f, 0xff, "");
  return little_endian(active, 4) + little_endian(path.size(), 2) + wide(entry.title) + path;
}

Result<std::string> add_firmware_entry(const FirmwareEntry& entry, const fs::path& folder) {
  const std::string option = TRY(load_option(entry));
  const unsigned chosen = number_for(TRY(entries_of(folder, entry.title)));
  std::string name = fmt::format("Boot{:04X}", chosen);
  TRY(write_variable(variable(folder, name), option));

  const fs::path order_file = variable(folder, "BootOrder");
  std::error_code ignored;
  const std::string before = fs::exists(order_file, ignored) ? TRY(read_variable(order_file)) : std::string();
  std::string order = little_endian(chosen, 2);
  for (std::size_t at = 0; at + 2 <= before.size(); at += 2) {
    order += before.substr(at, 2) == little_endian(chosen, 2) ? std::string() : before.substr(at, 2);
  }
  TRY(write_variable(order_file, order));
  return name;
}

}  // namespace domsmith
