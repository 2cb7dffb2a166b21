// The contract on real LVM: DOMSMITH_TEST_LVM="lvm:vg0/pool,lvm:vg1" names the stores. A program of its own, for the
// lab. Its volumes are named after its process and removed at the end of each test.
#include <unistd.h>

#include <cstdlib>

#include "tests/unit/stores/store_contract.h"

namespace domsmith::testing {

namespace {

class LvmUnderTest final : public StoreUnderTest {
 public:
  explicit LvmUnderTest(std::string spec) : spec_(std::move(spec)), store_(open_store(spec_).value()) {}
  ~LvmUnderTest() override {
    const auto all = store_->list();
    EXPECT_TRUE(ok(all));
    std::vector<std::string> mine;
    for (const VolumeInfo& info : all.value_or(std::vector<VolumeInfo>{})) {
      if (info.name.starts_with(prefix_)) {
        EXPECT_TRUE(ok(store_->deactivate(info.name)));
        mine.push_back(info.name);
      }
    }
    EXPECT_TRUE(ok(store_->remove(mine)));
  }
  VolumeStore& store() override { return *store_; }
  std::unique_ptr<VolumeStore> another_handle() override { return open_store(spec_).value(); }
  [[nodiscard]] std::string name(const std::string& word) const override { return prefix_ + word; }

 private:
  std::string spec_;
  std::string prefix_ = "ct" + std::to_string(::getpid()) + "-";
  std::unique_ptr<VolumeStore> store_;
};

std::vector<StoreMaker> stores_to_test() {
  const char* setting = std::getenv("DOMSMITH_TEST_LVM");
  std::string_view specs = setting == nullptr ? "" : setting;
  if (specs.empty()) {
    return {{"none", []() -> std::unique_ptr<StoreUnderTest> {
               [] { GTEST_SKIP() << "DOMSMITH_TEST_LVM names no LVM store to test"; }();
               return nullptr;
             }}};
  }
  std::vector<StoreMaker> makers;
  while (!specs.empty()) {
    const auto comma = specs.find(',');
    const std::string spec(specs.substr(0, comma));
    std::string label = spec;
    std::ranges::replace_if(label, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    makers.push_back({label, [spec] { return std::make_unique<LvmUnderTest>(spec); }});
    specs = comma == std::string_view::npos ? std::string_view{} : specs.substr(comma + 1);
  }
  return makers;
}

std::string label(const ::testing::TestParamInfo<StoreMaker>& info) { return info.param.label; }

}  // namespace

INSTANTIATE_TEST_SUITE_P(Lvm, StoreContract, ::testing::ValuesIn(stores_to_test()), label);

}  // namespace domsmith::testing
