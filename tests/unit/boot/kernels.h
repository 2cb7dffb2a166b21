// Kernels made up for tests: just the headers that are looked at.
#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <vector>

namespace domsmith::boot {

inline std::string bytes_of(const void* value, std::size_t size) { return {static_cast<const char*>(value), size}; }

inline std::string xen_note(std::uint32_t type) {
  const Elf64_Nhdr header{.n_namesz = 4, .n_descsz = 5, .n_type = type};
  return bytes_of(&header, sizeof header) + std::string("Xen\0", 4) + std::string(8, 'd');
}

// An ELF64 file with one PT_NOTE segment of these notes.
inline std::string vmlinux_with(const std::vector<std::uint32_t>& notes) {
  std::string text;
  for (const std::uint32_t note : notes) {
    text += xen_note(note);
  }
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_phoff = sizeof header;
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_NOTE;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = text.size();
  return bytes_of(&header, sizeof header) + bytes_of(&segment, sizeof segment) + text;
}

// A bzImage (Documentation/x86/boot.rst) around a payload.
inline std::string bz_image(const std::string& payload) {
  constexpr std::uint32_t setup_size = 2 * 512, offset = 16;
  std::string image(setup_size + offset, '\0');
  image[0x1f1] = 1;  // one setup sector behind the boot sector
  image.replace(0x202, 4, "HdrS");
  image.replace(0x206, 2, "\x0f\x02", 2);
  const auto length = static_cast<std::uint32_t>(payload.size());
  image.replace(0x248, 4, bytes_of(&offset, 4));
  image.replace(0x24c, 4, bytes_of(&length, 4));
  return image + payload;
}

}  // namespace domsmith::boot
