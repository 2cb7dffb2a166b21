// What a watch decides, and what it does to a store that fills up and to the guests on it.
#include "provision/watch/watch.h"

#include "lvm-snapshots/memory_store.h"
#include "provision/toolstack/fake_toolstack.h"
#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kGib = 1ULL << 30;

StoreStatus filled(double data_percent, double metadata_percent, std::uint64_t can_grow) {
  const auto limit = [](const char* what, double percent) {
    return StoreLimit{.what = what,
                      .size = 100 * kGib,
                      .free = static_cast<std::uint64_t>((100.0 - percent) * static_cast<double>(kGib))};
  };
  StoreStatus status;
  status.limits = {limit("pool data", data_percent),
                   limit("pool metadata", metadata_percent),
                   {.what = "VG metadata text", .size = 0, .free = 1}};
  status.can_grow = can_grow;
  return status;
}

TEST(WatchDecisionTest, ThereIsRoom) {
  EXPECT_EQ(decide(filled(79, 10, 5 * kGib), {}), (WatchDecision{.warnings = {}, .resume = true}));
}

TEST(WatchDecisionTest, EachLimitIsToldOf) {
  EXPECT_THAT(decide(filled(81.9, 84, 0), {}).warnings,
              ElementsAre("pool data is 81 % full: 18.1 GiB free", "pool metadata is 84 % full: 16.0 GiB free"));
}

TEST(WatchDecisionTest, DataGrowsBackToTheWarningAndNoFurtherThanTheGroup) {
  EXPECT_EQ(decide(filled(88, 0, 500 * kGib), {}).grow_by, 10 * kGib);
  EXPECT_EQ(decide(filled(88, 0, 3 * kGib), {}).grow_by, 3 * kGib);
  EXPECT_EQ(decide(filled(88, 0, 0), {}).grow_by, 0U);
  EXPECT_EQ(decide(filled(10, 90, 500 * kGib), {}).grow_by, 0U) << "metadata is not made larger by data";
}

TEST(WatchDecisionTest, AnyLimitPausesAndAllMustHaveRoomAgain) {
  EXPECT_TRUE(decide(filled(95, 0, 0), {}).pause);
  EXPECT_TRUE(decide(filled(0, 96, 0), {}).pause);
  const WatchDecision between = decide(filled(92, 0, 0), {});
  EXPECT_FALSE(between.pause || between.resume);
  EXPECT_FALSE(decide(filled(50, 92, 0), {}).resume);
}

TEST(WatchDecisionTest, ThresholdsHaveAnOrder) {
  EXPECT_TRUE(WatchThresholds{}.check());
  EXPECT_THAT((WatchThresholds{.warn = 90, .grow = 85}.check()),
              FailsWith(ErrorCode::bad_input, HasSubstr("no order")));
  EXPECT_FALSE((WatchThresholds{.pause = 101}.check()));
}

// A store that is as full as the test says.
class FillingStore final : public VolumeStore {
 public:
  double used = 0;
  std::uint64_t group_free = 0;
  std::uint64_t grown = 0;

  [[nodiscard]] std::string name() const override { return kStore; }
  Result<StoreStatus> status() override { return filled(used, 0, group_free); }
  Result<std::uint64_t> grow(std::uint64_t bytes) override {
    grown += bytes;
    group_free -= bytes;
    used = used * 100.0 / (100.0 + static_cast<double>(bytes) / static_cast<double>(kGib));
    return bytes;
  }
  Result<std::vector<VolumeInfo>> list() override { return memory_->list(); }
  Result<VolumeInfo> find(std::string_view name) override { return memory_->find(name); }
  Result<VolumeInfo> create(std::string_view name, std::uint64_t size) override { return memory_->create(name, size); }
  Result<std::unique_ptr<BlockTarget>> open(std::string_view name, Access access) override {
    return memory_->open(name, access);
  }
  Result<void> seal(std::string_view name) override { return memory_->seal(name); }
  Result<void> clone(std::string_view origin, std::span<const std::string> names) override {
    return memory_->clone(origin, names);
  }
  Result<void> reset(std::span<const std::string> names) override { return memory_->reset(names); }
  Result<void> remove(std::span<const std::string> names) override { return memory_->remove(names); }
  Result<void> adopt(std::string_view name, std::string_view origin) override { return memory_->adopt(name, origin); }
  Result<void> resize(std::string_view name, std::uint64_t size) override { return memory_->resize(name, size); }
  Result<void> activate(std::string_view name) override { return memory_->activate(name); }
  Result<void> deactivate(std::string_view name) override { return memory_->deactivate(name); }
  [[nodiscard]] std::vector<std::string> plan_create(std::string_view, std::uint64_t) const override { return {}; }
  [[nodiscard]] std::vector<std::string> plan_clone(std::string_view, std::span<const std::string>) const override {
    return {};
  }
  [[nodiscard]] std::vector<std::string> plan_remove(std::span<const std::string>) const override { return {}; }

 private:
  std::unique_ptr<VolumeStore> memory_ = value_of(open_store("memory:filling"));
};

class Heard final : public Progress {
 public:
  void event(const ProgressEvent& event) override { lines.push_back(event.text); }
  std::vector<std::string> lines;
};

class WatchTest : public RegistryTest {
 protected:
  void SetUp() override {
    add_image(registry_);
    for (const GuestRecord& guest : add_guests(registry_, "web", 2)) {
      start(guest.name, guest.uuid);
    }
    start("zoo", "11111111-2222-4333-8444-555555555555");  // nobody's of ours
  }
  void start(const std::string& name, const std::string& uuid) {
    DomainSpec spec;
    spec.name = name;
    spec.uuid = uuid;
    spec.memory_mib = spec.maxmem_mib = 128;
    spec.kernel = "/boot/vmlinuz";
    value_of(toolstack_.create(spec));
  }
  DomainState state(const std::string& name) { return value_of(toolstack_.find(name))->state; }
  void look() { value_of(watch_.look({}, heard_)); }

  Registry registry_ = open();
  FakeToolstack toolstack_;
  FillingStore store_;
  Heard heard_;
  std::filesystem::path record_ = directory_.path() / "watch" / "store.paused";
  StoreWatch watch_{store_, registry_, &toolstack_, record_};
};

TEST_F(WatchTest, AWarningIsToldOnceUntilThereIsRoomAgain) {
  store_.used = 82;
  look();
  look();
  EXPECT_THAT(heard_.lines, ElementsAre(HasSubstr("pool data is 82 % full")));
  store_.used = 10;
  look();
  store_.used = 82;
  look();
  EXPECT_EQ(heard_.lines.size(), 2U);
}

TEST_F(WatchTest, ThePoolIsExtendedBeforeAnybodyIsPaused) {
  store_.used = 96;
  store_.group_free = 500 * kGib;
  look();
  EXPECT_EQ(store_.grown, 20 * kGib);
  EXPECT_EQ(state("web-1"), DomainState::running);
}

TEST_F(WatchTest, GuestsOfTheStoreArePausedAndGoOn) {
  value_of(toolstack_.pause("web-2"));  // by somebody else
  store_.used = 96;
  look();
  EXPECT_EQ(state("web-1"), DomainState::paused);
  EXPECT_EQ(state("zoo"), DomainState::running);
  store_.used = 92;
  look();
  EXPECT_EQ(state("web-1"), DomainState::paused) << "not yet";
  store_.used = 50;
  StoreWatch another(store_, registry_, &toolstack_, record_);  // the first one was killed
  value_of(another.look({}, heard_));
  EXPECT_EQ(state("web-1"), DomainState::running);
  EXPECT_EQ(state("web-2"), DomainState::paused) << "that pause is somebody else's";
  EXPECT_FALSE(std::filesystem::exists(record_));
}

TEST_F(WatchTest, AHostWithoutXenIsWatchedTo) {
  StoreWatch alone(store_, registry_, nullptr, record_);
  store_.used = 99;
  value_of(alone.look({}, heard_));
  EXPECT_THAT(heard_.lines, testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace domsmith
