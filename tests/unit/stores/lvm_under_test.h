// The LVM stores to test: DOMSMITH_TEST_LVM="lvm:vg0/pool,lvm:vg1".
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/stores/store_under_test.h"

namespace domsmith::testing {

std::vector<std::string> lvm_specs(const char* variable = "DOMSMITH_TEST_LVM");  // one empty text where none is named
std::string lvm_label(const ::testing::TestParamInfo<std::string>& info);

// Ends the use of, and removes, all volumes with that prefix.
void remove_volumes(const std::string& spec, const std::string& prefix);

}  // namespace domsmith::testing
