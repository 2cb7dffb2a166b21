// The contract on Xen. DOMSMITH_TEST_XEN="KERNEL RAMDISK DISK [BRIDGE]" names what to boot: a Linux whose root is
// /dev/xvda, with a getty on hvc0 ("login:") and a userland that powers off when asked. DISK is an LV or a raw file;
// one guest at a time uses it. This program is its own guest-monitor.
#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <thread>

#include "base/error_text.h"
#include "base/file.h"
#include "base/process.h"
#include "provision/domain/xl_config.h"
#include "provision/toolstack/config_json.h"
#include "provision/toolstack/console_log.h"
#include "provision/toolstack/guest_locks.h"
#include "provision/toolstack/monitor.h"
#include "sample_guest.h"
#include "toolstack_contract.h"

namespace domsmith {
namespace {

using ::testing::HasSubstr;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

struct Boot {
  std::string kernel, ramdisk, disk, bridge;
};

Boot boot_from_environment() {
  const char* words = std::getenv("DOMSMITH_TEST_XEN");
  std::istringstream stream(words == nullptr ? "" : words);
  Boot boot;
  stream >> boot.kernel >> boot.ramdisk >> boot.disk >> boot.bridge;
  return boot;
}

class XenHost final : public ContractHost {
 public:
  XenHost() {
    if (!boot.disk.empty()) {
      toolstack_ = open_toolstack(options());
    }
  }
  ToolstackOptions options() const {
    ToolstackOptions options;
    options.run_directory = temporary.path() / "run";
    options.log_directory = temporary.path() / "log";
    return options;
  }
  std::string skip_reason() override {
    if (boot.disk.empty()) {
      return "DOMSMITH_TEST_XEN names no kernel, ramdisk and disk";
    }
    return toolstack_ ? "" : toolstack_.error().what;
  }
  Toolstack& toolstack() override { return **toolstack_; }
  DomainSpec spec(const std::string& name, DomainType type) override {
    auto made = sample_guest(name, type);
    made.kernel = boot.kernel;
    made.ramdisk = boot.ramdisk;
    made.cmdline = "root=/dev/xvda rw console=hvc0 mitigations=off random.trust_cpu=on";
    made.disks = {{.target = boot.disk, .vdev = "xvda", .writable = true, .phy = false}};
    if (!boot.bridge.empty()) {
      made.vifs = {{.mac = "00:16:3e:7f:00:01", .bridge = boot.bridge, .script = "", .rate = ""}};
    }
    console_.emplace(name);
    return made;
  }
  void wait_until_up(const std::string&) override {
    const auto deadline = std::chrono::steady_clock::now() + 300s;
    while (!shows("login:") && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(200ms);  // there is nothing to wait on but the console's log
    }
    EXPECT_TRUE(shows("login:")) << "no login prompt within 300 s";
  }
  void forget_console(const std::string& name) { console_.emplace(name); }

  Boot boot = boot_from_environment();
  TemporaryDirectory temporary = TemporaryDirectory::make().value();

 private:
  bool shows(std::string_view text) const {
    for (const auto& line : console_->last_lines(20)) {
      if (line.find(text) != std::string::npos) {
        return true;
      }
    }
    return false;
  }
  std::optional<ConsoleLog> console_;
  Result<std::unique_ptr<Toolstack>> toolstack_ = fail(ErrorCode::unsupported, "not opened");
};

std::unique_ptr<ContractHost> xen_host() { return std::make_unique<XenHost>(); }

INSTANTIATE_TEST_SUITE_P(OnXen, ToolstackContract,
                         ::testing::Values(ContractCase{"pv", DomainType::pv, xen_host},
                                           ContractCase{"pvh", DomainType::pvh, xen_host}));

class OnXen : public ::testing::TestWithParam<DomainType> {
 protected:
  void SetUp() override {
    if (!host.skip_reason().empty()) {
      GTEST_SKIP() << host.skip_reason();
    }
  }
  void TearDown() override {
    if (host.skip_reason().empty()) {
      static_cast<void>(host.toolstack().destroy("contract-a"));
    }
  }
  static void xl(std::vector<std::string> words) {
    words.insert(words.begin(), find_program("xl").value());
    const auto done = run_checked({.argv = std::move(words), .environment = {}, .working_directory = {}});
    EXPECT_TRUE(done.has_value()) << error_text(done.error());
  }
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 300s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      std::this_thread::sleep_for(200ms);  // the monitor tells nobody when it has done its work
    }
    return true;
  }
  // What the monitor has written, for who looks at a failure.
  std::string monitor_log() const {
    return read_file(host.temporary.path() / "log" / "contract-a.log").value_or("(no log of the monitor)");
  }
  std::optional<RunningDomain> now() { return host.toolstack().find("contract-a").value(); }
  DomainSpec spec() { return host.spec("contract-a", GetParam()); }
  GuestLocks locks() const { return {host.options().run_directory, "contract-a"}; }
  XenHost host;
};

INSTANTIATE_TEST_SUITE_P(Types, OnXen, ::testing::Values(DomainType::pv, DomainType::pvh),
                         [](const auto& test) { return std::string(type_word(test.param)); });

// What libxl is given is, field by field, what xl gives it for the config file of the same guest.
TEST_P(OnXen, TheDomainIsTheOneThatXlWouldMake) {
  auto meant = spec();
  meant.maxmem_mib = 256;
  meant.vcpus = 2;
  meant.disks.push_back({.target = "/dev/vg0/other", .vdev = "xvdb", .writable = false, .phy = true});
  meant.vifs = {{.mac = "00:16:3e:7f:00:01", .bridge = "", .script = "", .rate = "10Mb/s"},
                {.mac = "00:16:3e:7f:00:02", .bridge = "br1", .script = "vif-route", .rate = ""}};
  meant.on_crash = DomainAction::preserve;
  const auto file = host.temporary.path() / "contract-a.cfg";
  ASSERT_TRUE(write_file_atomic(file, checked_xl_config(meant).value()).has_value());
  const auto xls = run_checked({.argv = {find_program("xl").value(), "-N", "create", file.string()},
                                .environment = {},
                                .working_directory = {}});
  ASSERT_TRUE(xls.has_value()) << error_text(xls.error());
  const auto ours = domain_config_json(meant);
  ASSERT_TRUE(ours.has_value()) << error_text(ours.error());
  EXPECT_EQ(nlohmann::json::parse(*ours), nlohmann::json::parse(xls->out)) << *ours << xls->out;
}

TEST_P(OnXen, ARebootMakesANewDomainOfTheSameGuest) {
  const auto first = host.toolstack().create(spec());
  ASSERT_TRUE(first.has_value()) << error_text(first.error());
  host.wait_until_up("contract-a");
  host.forget_console("contract-a");
  xl({"reboot", "contract-a"});
  ASSERT_TRUE(eventually([&] { return now() && now()->domid != first->domid && now()->state == DomainState::running; }))
      << monitor_log();
  EXPECT_EQ(now()->uuid, first->uuid);
  EXPECT_EQ(now()->type, type_word(GetParam()));
  host.wait_until_up("contract-a");
  EXPECT_TRUE(locks().monitor_lives().value());
  const auto stopped = host.toolstack().shutdown("contract-a", 180s);
  ASSERT_TRUE(stopped.has_value()) << error_text(stopped.error());
  EXPECT_FALSE(locks().monitor_lives().value()) << "it ends with the domain";
}

TEST_P(OnXen, WhoPowersOffIsTakenAway) {
  ASSERT_TRUE(host.toolstack().create(spec()).has_value());
  host.wait_until_up("contract-a");
  xl({"shutdown", "contract-a"});
  EXPECT_TRUE(eventually([&] { return !now(); }));
  EXPECT_TRUE(eventually([&] { return !locks().monitor_lives().value(); }));
}

TEST_P(OnXen, APreservedGuestStaysUntilItIsStopped) {
  auto preserved = spec();
  preserved.on_poweroff = DomainAction::preserve;
  ASSERT_TRUE(host.toolstack().create(preserved).has_value());
  host.wait_until_up("contract-a");
  xl({"shutdown", "contract-a"});
  EXPECT_TRUE(eventually([&] { return !locks().monitor_lives().value(); }));
  ASSERT_TRUE(now().has_value());
  EXPECT_EQ(now()->state, DomainState::shutdown);
  ASSERT_TRUE(host.toolstack().shutdown("contract-a", 10s).has_value());
  EXPECT_FALSE(now().has_value());
}

TEST_P(OnXen, XlDestroyEndsTheMonitorToo) {
  ASSERT_TRUE(host.toolstack().create(spec()).has_value());
  xl({"destroy", "contract-a"});
  EXPECT_TRUE(eventually([&] { return !locks().monitor_lives().value(); }));
  EXPECT_FALSE(now().has_value());
}

TEST_P(OnXen, WhoDoesNotPowerOffInTimeIsBusy) {
  ASSERT_TRUE(host.toolstack().create(spec()).has_value());
  const auto result = host.toolstack().shutdown("contract-a", 1ms);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::busy) << error_text(result.error());
  EXPECT_THAT(result.error().remedy, HasSubstr("--force"));
}

TEST_P(OnXen, AGuestThatEndsAtOnce) {
  auto starved = spec();
  starved.memory_mib = starved.maxmem_mib = 24;
  const auto result = host.toolstack().create(starved);
  ASSERT_FALSE(result.has_value());
  EXPECT_FALSE(now().has_value());
  EXPECT_TRUE(eventually([&] { return !locks().monitor_lives().value(); }));
}

TEST_P(OnXen, ThingsThatAreNotThere) {
  auto absent = spec();
  absent.kernel = "/nonexistent/vmlinuz";
  EXPECT_EQ(host.toolstack().create(absent).error().code, ErrorCode::not_found);
  absent = spec();
  absent.disks[0].target = "/dev/nonexistent/disk";
  EXPECT_EQ(host.toolstack().create(absent).error().code, ErrorCode::not_found);
  absent = spec();
  absent.vifs = {{.mac = "00:16:3e:7f:00:01", .bridge = "nobridge", .script = "", .rate = ""}};
  EXPECT_EQ(host.toolstack().create(absent).error().code, ErrorCode::not_found);
  auto no_kernel = spec();
  no_kernel.kernel = "/etc/passwd";
  const auto result = host.toolstack().create(no_kernel);
  ASSERT_FALSE(result.has_value());
  EXPECT_FALSE(result.error().causes.empty()) << "libxl's own words";
  EXPECT_FALSE(now().has_value());
}

TEST_P(OnXen, LibxlPrintsNothing) {
  testing::internal::CaptureStderr();
  auto no_kernel = spec();
  no_kernel.kernel = "/etc/passwd";
  EXPECT_FALSE(host.toolstack().create(no_kernel).has_value());
  EXPECT_TRUE(host.toolstack().create(spec()).has_value());
  EXPECT_TRUE(host.toolstack().destroy("contract-a").has_value());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace domsmith

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "guest-monitor") {
    const auto domid = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
    return domsmith::run_monitor({}, argv[2], domid) ? 0 : 1;
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
