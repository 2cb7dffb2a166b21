#include "tests/unit/stores/lvm_under_test.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace domsmith::testing {

std::vector<std::string> lvm_specs(const char* variable) {
  const char* setting = std::getenv(variable);
  std::string_view rest = setting == nullptr ? "" : setting;
  std::vector<std::string> specs;
  do {
    const auto comma = rest.find(',');
    specs.emplace_back(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  } while (!rest.empty());
  return specs;
}

std::string lvm_label(const ::testing::TestParamInfo<std::string>& info) {
  std::string label = info.param.empty() ? "none" : info.param;
  std::ranges::replace_if(label, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return label;
}

void remove_volumes(const std::string& spec, const std::string& prefix) {
  const auto store = open_store(spec);
  ASSERT_TRUE(ok(store));
  const auto all = (*store)->list();
  ASSERT_TRUE(ok(all));
  std::vector<std::string> mine;
  for (const VolumeInfo& info : *all) {
    if (info.name.starts_with(prefix)) {
      if (info.kind == VolumeKind::clone && info.active) {
        EXPECT_TRUE(ok((*store)->deactivate(info.name)));
      }
      mine.push_back(info.name);
    }
  }
  EXPECT_TRUE(ok((*store)->remove(mine)));
}

}  // namespace domsmith::testing
