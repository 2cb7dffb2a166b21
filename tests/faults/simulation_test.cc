// Seeds of the simulation. DOMSMITH_SIMULATION_SEED=N replays one; DOMSMITH_SIMULATION_SEEDS=N runs the first N.
#include "simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "base/text.h"

namespace domsmith {
namespace {

constexpr int steps = 25;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// Empty, or what went wrong and the way there.
std::string run_seed(std::uint64_t seed) {
  Simulation simulation(seed);
  for (int i = 0; i < steps; ++i) {
    if (const std::string wrong = simulation.step(); !wrong.empty()) {
      return fmt::format("{}  replay it: DOMSMITH_SIMULATION_SEED={}\n  {}\n", wrong, seed,
                         join(simulation.story(), "\n  "));
    }
  }
  return {};
}

TEST(SimulationTest, EachSeedComesToItsEnd) {
  const std::uint64_t one = setting("DOMSMITH_SIMULATION_SEED", 0);
  const std::uint64_t first = one != 0 ? one : 1;
  const std::uint64_t last = one != 0 ? one : setting("DOMSMITH_SIMULATION_SEEDS", 150);
  const auto begun = std::chrono::steady_clock::now();
  int failures = 0;
  for (std::uint64_t seed = first; seed <= last && failures < 3; ++seed) {
    const std::string wrong = run_seed(seed);
    EXPECT_EQ(wrong, "") << (++failures, "");
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  std::cout << fmt::format("{} seeds of {} steps in {:.1f} s\n", last - first + 1, steps, taken.count());
}

}  // namespace
}  // namespace domsmith
