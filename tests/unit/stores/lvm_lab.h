// Tests that only real LVM can pass run on this; part of store_contract_lvm, for the stores that DOMSMITH_TEST_LVM
// names.
#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/unit/stores/lvm_under_test.h"

namespace domsmith::testing {

class LvmLab : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;
  void TearDown() override;

  [[nodiscard]] std::string name(const std::string& word) const { return prefix_ + word; }
  // A program's stdout; it must succeed.
  static std::string lvm(std::vector<std::string> argv);
  void make_golden_and_clones(const std::vector<std::string>& clones);
  // The action runs in a process of its own, with that environment variable set; its wait status.
  int in_child(const char* variable, const std::string& value, const std::function<void(VolumeStore&)>& action);
  // … and must end by SIGKILL.
  void in_dying_child(const std::function<void(VolumeStore&)>& action);
  // What is read past LVM is what LVM reports.
  void expect_lvm_reports_the_same(const std::string& story) const;
  [[nodiscard]] bool thin() const { return !pool_.empty(); }

  std::string group_;
  std::string pool_;
  std::string prefix_;
};

}  // namespace domsmith::testing
