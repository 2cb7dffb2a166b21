#include "imagebuild/boot/kernel_ability.h"

#include <elf.h>

#include <cstring>
#include <optional>
#include <string>

#include "imagebuild/archive/decompress.h"

namespace domsmith::boot {
namespace {

// xen/include/public/elfnote.h
constexpr std::uint32_t note_entry = 1;          // XEN_ELFNOTE_ENTRY: where a PV guest starts
constexpr std::uint32_t note_phys32_entry = 18;  // XEN_ELFNOTE_PHYS32_ENTRY: where a PVH guest starts

// A value out of bytes that may be short and unaligned.
template <class T>
std::optional<T> read_at(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) {
    return std::nullopt;
  }
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string_view part(std::string_view bytes, std::uint64_t offset, std::uint64_t length) {
  return offset > bytes.size() ? std::string_view{} : bytes.substr(offset, length);
}

std::uint64_t padded(std::uint64_t length) { return (length + 3) & ~std::uint64_t{3}; }

void read_notes(std::string_view notes, KernelAbility& ability) {
  while (const auto header = read_at<Elf64_Nhdr>(notes, 0)) {
    const auto name = part(notes, sizeof(Elf64_Nhdr), header->n_namesz);
    if (name == std::string_view("Xen\0", 4)) {
      ability.pv = ability.pv || header->n_type == note_entry;
      ability.pvh = ability.pvh || header->n_type == note_phys32_entry;
    }
    const std::uint64_t size = sizeof(Elf64_Nhdr) + padded(header->n_namesz) + padded(header->n_descsz);
    notes.remove_prefix(std::min<std::uint64_t>(size, notes.size()));
  }
}

// The compressed vmlinux inside a bzImage; nullopt where this is none.
std::optional<std::string_view> payload(std::string_view kernel) {
  constexpr std::size_t setup_sectors_at = 0x1f1, magic_at = 0x202, version_at = 0x206;
  constexpr std::size_t payload_offset_at = 0x248, payload_length_at = 0x24c;
  const auto version = read_at<std::uint16_t>(kernel, version_at);
  const auto offset = read_at<std::uint32_t>(kernel, payload_offset_at);
  const auto length = read_at<std::uint32_t>(kernel, payload_length_at);
  if (!version || !offset || !length || part(kernel, magic_at, 4) != "HdrS" || *version < 0x208) {
    return std::nullopt;
  }
  const auto sectors = static_cast<unsigned char>(kernel[setup_sectors_at]);
  const std::uint64_t setup = (sectors == 0 ? 4U : sectors) + 1U;
  return part(kernel, setup * 512 + *offset, *length);
}

}  // namespace

KernelAbility elf_ability(std::string_view vmlinux) {
  KernelAbility ability;
  const auto header = read_at<Elf64_Ehdr>(vmlinux, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64) {
    return ability;
  }
  ability.known = true;
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const auto segment = read_at<Elf64_Phdr>(vmlinux, header->e_phoff + std::uint64_t{i} * sizeof(Elf64_Phdr));
    if (segment && segment->p_type == PT_NOTE) {
      read_notes(part(vmlinux, segment->p_offset, segment->p_filesz), ability);
    }
  }
  return ability;
}

std::optional<std::string> vmlinux_of(std::string_view kernel, std::uint64_t limit) {
  if (kernel.starts_with(ELFMAG)) {
    return kernel.size() <= limit ? std::optional<std::string>(kernel) : std::nullopt;
  }
  auto packed = payload(kernel);
  if (!packed) {
    return std::nullopt;
  }
  // All but gzip, whose format has it, are followed by four bytes of unpacked size (scripts/Makefile.lib, size_append).
  const auto size = read_at<std::uint32_t>(*packed, packed->size() - std::min<std::size_t>(packed->size(), 4));
  if (!packed->starts_with("\x1f\x8b") && packed->size() > 4) {
    packed->remove_suffix(4);
  }
  auto vmlinux = decompress(*packed, limit, size.value_or(0));
  return vmlinux && vmlinux->starts_with(ELFMAG) ? std::optional(std::move(*vmlinux)) : std::nullopt;
}

std::string ability_text(const KernelAbility& ability) {
  if (!ability.known) {
    return "in a way that is not known: it is no ELF file, or its compression is none that can be read";
  }
  if (ability.pv && ability.pvh) {
    return "as a PV and as a PVH guest";
  }
  return ability.pv    ? "as a PV guest, not as PVH"
         : ability.pvh ? "as a PVH guest, not as PV"
                       : "neither as a PV nor as a PVH guest";
}

}  // namespace domsmith::boot
