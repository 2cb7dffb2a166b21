// What every toolstack does, whatever is below it. fake_toolstack_test.cc runs it in memory, toolstack_contract_xen.cc
// on Xen.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "provision/toolstack/toolstack.h"

namespace domsmith {

// A toolstack and guests for it.
class ContractHost {
 public:
  virtual ~ContractHost() = default;
  virtual Toolstack& toolstack() = 0;
  virtual DomainSpec spec(const std::string& name, DomainType type) = 0;
  // Waits until a guest can hear a shutdown().
  virtual void wait_until_up(const std::string& name) = 0;
  // Empty, or why nothing can be run here.
  virtual std::string skip_reason() { return {}; }
};

struct ContractCase {
  std::string name;
  DomainType type = DomainType::pvh;
  std::function<std::unique_ptr<ContractHost>()> make;
};
inline void PrintTo(const ContractCase& value, std::ostream* stream) { *stream << value.name; }

class ToolstackContract : public ::testing::TestWithParam<ContractCase> {
 protected:
  void SetUp() override;
  void TearDown() override;  // no guest of a test outlives it
  DomainSpec spec(const std::string& name) { return host_->spec(name, GetParam().type); }
  Toolstack& toolstack() { return host_->toolstack(); }
  std::unique_ptr<ContractHost> host_;
};

}  // namespace domsmith
