// Seeds of the simulation, on all processors. DOMSMITH_SIMULATION_SEED=N replays one; DOMSMITH_SIMULATION_SEEDS=N runs
// the first N.
#include "simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include "base/sanitized.h"
#include "base/text.h"

namespace domsmith {
namespace {

constexpr int steps = 25;
constexpr int enough = 3;  // failures of one process

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

struct Run {
  std::string wrong;  // empty: it came to its end
  std::vector<std::string> story;
};

Run run_seed(std::uint64_t seed) {
  Simulation simulation(seed);
  std::string wrong;
  for (int i = 0; i < steps && wrong.empty(); ++i) {
    wrong = simulation.step();
  }
  return {.wrong = std::move(wrong), .story = simulation.story()};
}

// A process that runs every n-th seed. (Fail points, locks and disks in memory are a process's own.)
class Runner {
 public:
  struct Seeds {
    std::uint64_t first = 1, last = 0, stride = 1;
  };

  explicit Runner(const Seeds& seeds)
      : shared_(static_cast<Shared*>(
            ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    std::cout.flush();
    child_ = ::fork();
    if (child_ == 0) {
      run(seeds);
      std::_Exit(0);
    }
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner() { ::munmap(shared_, sizeof(Shared)); }

  // How many seeds came to their end.
  std::uint64_t wait() {
    int status = -1;
    ::waitpid(child_, &status, 0);
    EXPECT_EQ(status, 0) << fmt::format("it died in a seed; replay it: DOMSMITH_SIMULATION_SEED={}", shared_->seed);
    EXPECT_EQ(shared_->failures, 0) << "the stories are above";
    return shared_->ended;
  }

 private:
  struct Shared {  // with its child
    std::uint64_t seed, ended;
    int failures;
  };

  void run(const Seeds& seeds) {
    for (shared_->seed = seeds.first; shared_->seed <= seeds.last && shared_->failures < enough;
         shared_->seed += seeds.stride) {
      const Run run = run_seed(shared_->seed);
      if (run.wrong.empty()) {
        ++shared_->ended;
      } else {
        ++shared_->failures;
        std::cout << fmt::format("{}  replay it: DOMSMITH_SIMULATION_SEED={}\n  {}\n", run.wrong, shared_->seed,
                                 join(run.story, "\n  "))
                  << std::flush;
      }
    }
  }

  Shared* shared_;
  pid_t child_ = -1;
};

TEST(SimulationTest, EachSeedComesToItsEnd) {
  const std::uint64_t one = setting("DOMSMITH_SIMULATION_SEED", 0);
  const std::uint64_t first = one != 0 ? one : 1;
  const std::uint64_t last = one != 0 ? one : setting("DOMSMITH_SIMULATION_SEEDS", sanitized ? 200 : 2000);
  const std::uint64_t processes =
      std::min<std::uint64_t>(last - first + 1, std::max(std::thread::hardware_concurrency(), 1U));
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<Runner>> runners;
  runners.reserve(processes);
  for (std::uint64_t i = 0; i < processes; ++i) {
    runners.push_back(std::make_unique<Runner>(Runner::Seeds{.first = first + i, .last = last, .stride = processes}));
  }
  std::uint64_t ended = 0;
  for (const auto& runner : runners) {
    ended += runner->wait();
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  std::cout << fmt::format("{} seeds of {} steps in {:.1f} s, {} processes\n", ended, steps, taken.count(), processes);
  EXPECT_EQ(ended, last - first + 1);
}

TEST(SimulationTest, ASeedTellsTheSameStoryTwice) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(run_seed(seed).story, run_seed(seed).story) << seed;
  }
}

}  // namespace
}  // namespace domsmith
