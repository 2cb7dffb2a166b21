#include "hypervisor/system/elf_needs.h"

#include <elf.h>

#include <cstring>
#include <optional>

namespace domsmith {
namespace {

template <class T>
std::optional<T> at(std::string_view bytes, std::uint64_t offset) {
  T value{};
  if (offset > bytes.size() || bytes.size() - offset < sizeof value) {
    return std::nullopt;
  }
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string text_at(std::string_view bytes, std::uint64_t offset) {
  const auto rest = bytes.substr(std::min<std::uint64_t>(offset, bytes.size()));
  return std::string(rest.substr(0, rest.find('\0')));
}

std::vector<Elf64_Phdr> segments_of(std::string_view bytes, const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> segments;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    if (const auto one = at<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr))) {
      segments.push_back(*one);
    }
  }
  return segments;
}

// Where an address of the loaded program stands in the file.
std::uint64_t file_offset(const std::vector<Elf64_Phdr>& segments, std::uint64_t address) {
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz) {
      return segment.p_offset + (address - segment.p_vaddr);
    }
  }
  return UINT64_MAX;
}

}  // namespace

Result<ElfNeeds> elf_needs(std::string_view bytes) {
  const auto header = at<Elf64_Ehdr>(bytes, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_ident[EI_DATA] != ELFDATA2LSB) {
    return fail(ErrorCode::bad_input, "it is no 64-bit ELF program");
  }
  ElfNeeds needs;
  const auto segments = segments_of(bytes, *header);
  std::vector<std::uint64_t> names;
  std::uint64_t strings = UINT64_MAX;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_INTERP) {
      needs.interpreter = text_at(bytes, segment.p_offset);
    }
    for (std::uint64_t offset = 0; segment.p_type == PT_DYNAMIC && offset < segment.p_filesz;
         offset += sizeof(Elf64_Dyn)) {
      const auto entry = at<Elf64_Dyn>(bytes, segment.p_offset + offset);
      if (!entry || entry->d_tag == DT_NULL) {
        break;
      }
      if (entry->d_tag == DT_NEEDED) {
        names.push_back(entry->d_un.d_val);
      } else if (entry->d_tag == DT_STRTAB) {
        strings = file_offset(segments, entry->d_un.d_ptr);
      }
    }
  }
  for (const std::uint64_t name : names) {
    needs.libraries.push_back(strings < bytes.size() ? text_at(bytes, strings + name) : std::string());
  }
  return needs;
}

}  // namespace domsmith
