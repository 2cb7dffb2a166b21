// A guest that tests of toolstacks start.
#pragma once

#include "provision/domain/spec.h"

namespace domsmith {

inline DomainSpec sample_guest(const std::string& name, DomainType type) {
  DomainSpec spec;
  spec.name = name;
  spec.uuid = name.back() == 'a' ? "8ad2a4e8-3f0c-4f62-9c39-0b8f5ab3a5d1" : "8ad2a4e8-3f0c-4f62-9c39-0b8f5ab3a5d2";
  spec.type = type;
  spec.memory_mib = spec.maxmem_mib = 128;
  spec.kernel = "/boot/vmlinuz";
  spec.cmdline = "root=/dev/xvda";
  return spec;
}

}  // namespace domsmith
