// domsmith: the program.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>

#include "base/interrupt.h"
#include "hypervisor/host/host_commands.h"
#include "iso/iso_commands.h"
#include "provision/cli/command.h"

namespace {

// A file that is opened later must not become standard output because the caller closed it.
void keep_standard_streams_open() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) {
      ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);  // the lowest free number: fd itself
    }
  }
}

int run(int argc, const char* const* argv) {
  std::error_code ignored;
  domsmith::CliContext cli(std::filesystem::read_symlink("/proc/self/exe", ignored), domsmith::Output(stdout, stderr));
  domsmith::add_all_commands(cli);
  domsmith::add_iso_commands(cli);
  domsmith::add_host_commands(cli);
  return cli.run(argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams_open();
  domsmith::catch_interrupts();
  try {
    return run(argc, argv);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "error: domsmith itself is at fault: %s\n", fault.what());
    return 1;
  }
}
