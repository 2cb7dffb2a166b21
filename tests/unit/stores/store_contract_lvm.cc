// The contract on real LVM; a program of its own, for the lab. Its volumes are named after its process and removed at
// the end of each test.
#include <unistd.h>

#include "tests/unit/stores/lvm_under_test.h"
#include "tests/unit/stores/store_contract_shape.h"

namespace domsmith::testing {

namespace {

class LvmUnderTest final : public StoreUnderTest {
 public:
  explicit LvmUnderTest(std::string spec) : spec_(std::move(spec)), store_(open_store(spec_).value()) {}
  ~LvmUnderTest() override { remove_volumes(spec_, prefix_); }
  VolumeStore& store() override { return *store_; }
  std::unique_ptr<VolumeStore> another_handle() override { return open_store(spec_).value(); }
  [[nodiscard]] std::string name(const std::string& word) const override { return prefix_ + word; }

 private:
  std::string spec_;
  std::string prefix_ = "ct" + std::to_string(::getpid()) + "-";
  std::unique_ptr<VolumeStore> store_;
};

std::vector<StoreMaker> stores_to_test() {
  std::vector<StoreMaker> makers;
  for (const std::string& spec : lvm_specs()) {
    makers.push_back({lvm_label({spec, 0}), [spec]() -> std::unique_ptr<StoreUnderTest> {
                        if (spec.empty()) {
                          [] { GTEST_SKIP() << "DOMSMITH_TEST_LVM names no LVM store to test"; }();
                          return nullptr;
                        }
                        return std::make_unique<LvmUnderTest>(spec);
                      }});
  }
  return makers;
}

std::string label(const ::testing::TestParamInfo<StoreMaker>& info) { return info.param.label; }

}  // namespace

INSTANTIATE_TEST_SUITE_P(Lvm, StoreContract, ::testing::ValuesIn(stores_to_test()), label);

}  // namespace domsmith::testing
