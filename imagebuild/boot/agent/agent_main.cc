// agent STEPS: runs the steps of a file in the chroot it stands in, and removes itself and the file, however it ends.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "imagebuild/boot/agent/run_steps.h"

int main(int argc, char** argv) {
  using namespace domsmith::agent;  // NOLINT(google-build-using-namespace): a main of ten lines
  if (argc != 2) {
    std::fputs("usage: agent STEPS\n", stderr);
    return 2;
  }
  constexpr std::size_t steps_limit = 256U << 20;  // a recipe's files are 64 MiB at most
  auto bytes = read_small_file(argv[1], steps_limit);
  ::unlink(argv[1]);
  ::unlink(argv[0]);
  // A umask of the host must not decide the modes of an image.
  ::umask(022);
  auto steps = bytes ? decode_steps(*bytes) : std::unexpected(bytes.error());
  if (!steps) {
    std::fprintf(stderr, "%sfailed 0 %s\n", std::string(marker).c_str(), steps.error().c_str());
    return 1;
  }
  return run_steps("", *steps) ? 0 : 1;
}
