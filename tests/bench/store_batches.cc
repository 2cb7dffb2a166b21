// Seconds that a store takes for many clones: store_batches STORE COUNT prints one line of JSON. Each verb is one call
// on COUNT volumes of one golden volume of 1 GiB; nothing else uses the store. For script/bench --lab.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "base/error_text.h"
#include "lvm-snapshots/store.h"

namespace {

using namespace domsmith;

double seconds_of(const std::function<Result<void>()>& act) {
  const auto start = std::chrono::steady_clock::now();
  if (const auto done = act(); !done) {
    fmt::print(stderr, "{}", error_text(done.error()));
    std::exit(1);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: store_batches STORE COUNT\n");
    return 2;
  }
  const auto store = open_store(argv[1]);
  if (!store) {
    fmt::print(stderr, "{}", error_text(store.error()));
    return 2;
  }
  VolumeStore& volumes = **store;
  const std::string golden = "bench-golden";
  std::vector<std::string> names;
  for (int i = 1; i <= std::atoi(argv[2]); ++i) {
    names.push_back(fmt::format("bench-{}", i));
  }
  seconds_of([&]() -> Result<void> {
    TRY(volumes.create(golden, 1ULL << 30));
    return volumes.seal(golden);
  });
  const double clone = seconds_of([&] { return volumes.clone(golden, names); });
  const double list = seconds_of([&]() -> Result<void> {
    TRY(volumes.list());
    return {};
  });
  const double reset = seconds_of([&] { return volumes.reset(names); });
  const double remove = seconds_of([&] { return volumes.remove(names); });
  seconds_of([&] { return volumes.remove(std::span(&golden, 1)); });
  fmt::print(R"({{"store": "{}", "count": {}, "clone": {:.3f}, "list": {:.3f}, "reset": {:.3f}, "remove": {:.3f}}})"
             "\n",
             argv[1], names.size(), clone, list, reset, remove);
  return 0;
}
