// A domain that validates; each test changes what it is about.
#pragma once

#include "provision/domain/spec.h"

namespace domsmith {

inline DomainSpec sample_spec() {
  DomainSpec spec;
  spec.name = "web-1";
  spec.uuid = "8ad2a4e8-3f0c-4f62-9c39-0b8f5ab3a5d1";
  spec.type = DomainType::pvh;
  spec.memory_mib = 256;
  spec.maxmem_mib = 256;
  spec.kernel = "/var/lib/domsmith/boot/8f/vmlinuz";
  spec.ramdisk = "/var/lib/domsmith/boot/8f/initrd.img";
  spec.cmdline = "root=/dev/xvda ro console=hvc0";
  spec.disks = {{.target = "/dev/vg0/web-1", .vdev = "xvda", .writable = true, .phy = true}};
  spec.vifs = {{.mac = "00:16:3e:01:02:03", .bridge = "xenbr0", .script = "", .rate = ""}};
  return spec;
}

}  // namespace domsmith
