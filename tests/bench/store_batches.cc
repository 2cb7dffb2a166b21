// Seconds that a store takes for many clones of one golden volume of 1 GiB, a line of JSON for each verb, written when
// the verb is done:
//
//   store_batches STORE COUNT VERB…     golden clone list reset remove drop recover
//
// For script/bench --lab, and for cutting the power of the lab in the middle of a verb.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

#include "base/error_text.h"
#include "lvm-snapshots/store.h"

namespace {

using namespace domsmith;

Result<void> make_golden(VolumeStore& store, const std::string& name) {
  TRY(store.create(name, 1ULL << 30));
  return store.seal(name);
}

Result<void> list(VolumeStore& store) {
  TRY(store.list());
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: store_batches STORE COUNT VERB...\n");
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
  const std::map<std::string, std::function<Result<void>()>> verbs = {
      {"golden", [&] { return make_golden(volumes, golden); }},
      {"clone", [&] { return volumes.clone(golden, names); }},
      {"list", [&] { return list(volumes); }},
      {"reset", [&] { return volumes.reset(names); }},
      {"remove", [&] { return volumes.remove(names); }},
      {"drop", [&] { return volumes.remove(std::span(&golden, 1)); }},
      {"recover", [&] { return volumes.recover(); }}};
  for (int i = 3; i < argc; ++i) {
    const auto verb = verbs.find(argv[i]);
    const auto start = std::chrono::steady_clock::now();
    const auto done =
        verb == verbs.end() ? fail(ErrorCode::bad_input, fmt::format("no verb '{}'", argv[i])) : verb->second();
    if (!done) {
      fmt::print(stderr, "{}", error_text(done.error()));
      return 1;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    fmt::print("{{\"verb\": \"{}\", \"count\": {}, \"seconds\": {:.3f}}}\n", verb->first, names.size(), took.count());
    std::fflush(stdout);
  }
  return 0;
}
