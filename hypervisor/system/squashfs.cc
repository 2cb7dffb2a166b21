#include "hypervisor/system/squashfs.h"

namespace domsmith {

Result<Command> squashfs_command(const std::string& source, const std::filesystem::path& file,
                                 const std::vector<std::string>& more) {
  Command pack{
      .argv = {TRY(find_program("mksquashfs")), source, file.string()}, .environment = {}, .working_directory = {}};
  pack.argv.insert(pack.argv.end(), more.begin(), more.end());
  pack.argv.insert(pack.argv.end(), {"-b", "256K", "-mkfs-time", "0", "-all-time", "0", "-root-mode", "0755",
                                     "-no-xattrs", "-no-progress", "-quiet"});
  return pack;
}

}  // namespace domsmith
