// A domsmith world in memory, driven by a seed: verbs at random, deaths at random fail points, and a model of what must
// be there afterwards.
//
// A death is an exception that a fail point throws: nothing of ours catches it, and what a process loses when it dies
// (locks, open volumes, half transactions) ends with the stack. Then a new "process" recovers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/progress.h"
#include "provision/toolstack/fake_toolstack.h"
#include "provision/workplace.h"

namespace domsmith {

// What the registry and the store must agree on.
struct Model {
  struct Guest {
    std::string image;
    bool ephemeral = false;
    bool full = false;
    bool operator==(const Guest&) const = default;
  };
  std::set<std::string> images;
  std::map<std::string, Guest> guests;
  bool operator==(const Model&) const = default;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // One verb, perhaps with a death in it, its recovery, and all checks. What is wrong, or empty.
  std::string step();
  [[nodiscard]] const std::vector<std::string>& story() const { return story_; }

 private:
  struct Verb {
    std::string what;  // for the story
    std::function<Result<void>()> act;
    std::function<void(Model&)> changes;  // what it does to the model when it succeeds
  };
  struct Death {};

  Verb choose();
  Verb build();
  Verb clone();
  Verb promote();
  Verb rebase();
  Verb on_some(const std::string& word, bool removes);
  Verb start_or_stop();
  Verb remove_image();
  Verb write_into();
  Verb litter_and_collect();

  // True: it died.
  bool run(const Verb& verb, Result<void>& result);
  static Model observed(const OperationRows& rows);
  Result<void> check_volumes();
  Result<void> check_identities(const std::vector<GuestRecord>& guests);
  Result<void> check_audit(bool may_fix);

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  template <class Container>
  std::string any_name(const Container& names);
  std::vector<std::string> some_guests();

  std::mt19937_64 random_;
  TemporaryDirectory directory_;
  std::string store_;
  Registry registry_;
  Workplace place_;
  FakeToolstack toolstack_;
  SilentProgress silent_;
  Model model_;
  int next_name_ = 0;
  std::vector<std::string> story_;
};

}  // namespace domsmith
