#include "small_image.h"

#include "base/crypto.h"

namespace domsmith {

Result<Populated> populate_small(BlockTarget& target) {
  return fill_small(TRY(extfs::FileSystem::format(target, {.label = "root"})));
}

Result<Populated> fill_small(extfs::FileSystem image) {
  for (const char* folder : {"/etc/systemd/network", "/etc/ssh", "/root", "/usr/lib/systemd", "/var/lib/systemd"}) {
    TRY(image.make_directories(folder));
  }
  TRY(image.write_file("/usr/lib/systemd/systemd-networkd", "#!"));
  TRY(image.write_file("/usr/lib/systemd/systemd", "#!"));
  TRY(image.write_file("/etc/hosts", "127.0.0.1 localhost\n"));
  Populated populated;
  populated.used = image.used_bytes();
  populated.filesystem_uuid = extfs::uuid_text(image.uuid());
  TRY(image.close());
  populated.boot.version = "6.1.0-test";
  populated.boot.kernel = "kernel bytes";
  populated.boot.kernel_sha256 = sha256_hex(populated.boot.kernel);
  populated.boot.initrd = "initrd bytes";
  populated.boot.initrd_sha256 = sha256_hex(populated.boot.initrd);
  populated.boot.cmdline = "root=/dev/xvda ro console=hvc0";
  return populated;
}

}  // namespace domsmith
