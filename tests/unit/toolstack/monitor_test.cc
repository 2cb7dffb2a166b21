#include "provision/toolstack/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "sample_guest.h"

namespace domsmith {
namespace {

ToolstackOptions options_of(const std::filesystem::path& run, const std::filesystem::path& log,
                            const std::filesystem::path& program) {
  ToolstackOptions options;
  options.run_directory = run;
  options.log_directory = log;
  options.program = program;
  return options;
}

using ::testing::HasSubstr;

constexpr MonitorDecision take_away{.dump_core = false, .take_away = true, .restart = false};
constexpr MonitorDecision restart{.dump_core = false, .take_away = true, .restart = true};
constexpr MonitorDecision leave{};

TEST(MonitorDecision, TheDefaultsAreXls) {
  const auto spec = sample_guest("a", DomainType::pv);
  EXPECT_EQ(decide(DomainEnd::poweroff, spec, false), take_away);
  EXPECT_EQ(decide(DomainEnd::reboot, spec, false), restart);
  EXPECT_EQ(decide(DomainEnd::crash, spec, false), take_away);
  EXPECT_EQ(decide(DomainEnd::watchdog, spec, false), take_away);
  EXPECT_EQ(decide(DomainEnd::unknown, spec, false), take_away);
  EXPECT_EQ(decide(DomainEnd::suspend, spec, false), leave) << "xl save is about to take it away";
}

TEST(MonitorDecision, EachActionOfEachEnd) {
  auto spec = sample_guest("a", DomainType::pv);
  spec.on_poweroff = DomainAction::restart;
  spec.on_reboot = DomainAction::preserve;
  spec.on_crash = DomainAction::coredump_restart;
  EXPECT_EQ(decide(DomainEnd::poweroff, spec, false), restart);
  EXPECT_EQ(decide(DomainEnd::reboot, spec, false), leave);
  EXPECT_EQ(decide(DomainEnd::crash, spec, false), (MonitorDecision{true, true, true}));
  spec.on_crash = DomainAction::coredump_destroy;
  EXPECT_EQ(decide(DomainEnd::crash, spec, false), (MonitorDecision{true, true, false}));
}

TEST(MonitorDecision, WhoIsBeingStoppedStaysDown) {
  auto spec = sample_guest("a", DomainType::pv);
  spec.on_poweroff = DomainAction::restart;
  spec.on_reboot = DomainAction::preserve;
  spec.on_crash = DomainAction::coredump_restart;
  for (const auto end : {DomainEnd::poweroff, DomainEnd::reboot, DomainEnd::watchdog}) {
    EXPECT_EQ(decide(end, spec, true), take_away);
  }
  EXPECT_EQ(decide(DomainEnd::crash, spec, true), (MonitorDecision{true, true, false}));
}

// A program that is no monitor: what it said is the reason.
TEST(MonitorStart, AProgramThatDoesNotWatch) {
  const auto temporary = TemporaryDirectory::make().value();
  const auto options = options_of(temporary.path(), temporary.path() / "log", "/bin/echo");
  const auto result = start_monitor(options, sample_guest("web-a", DomainType::pv), 7);
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().what, HasSubstr("cannot start the monitor of 'web-a': guest-monitor web-a 7"));
  EXPECT_THAT(result.error().remedy, HasSubstr("log/web-a.log"));
}

TEST(MonitorStart, AProgramThatIsNotThere) {
  const auto temporary = TemporaryDirectory::make().value();
  const auto options = options_of(temporary.path(), temporary.path(), "/nonexistent");
  EXPECT_THAT(start_monitor(options, sample_guest("web-a", DomainType::pv), 7).error().what,
              HasSubstr("it ended at once"));
}

// It gets the spec on stdin and nothing else of its caller: no descriptor, no environment.
TEST(MonitorStart, WhatTheMonitorIsGiven) {
  const auto temporary = TemporaryDirectory::make().value();
  const auto script = temporary.path() / "program";
  ASSERT_TRUE(
      write_file_atomic(script, "#!/bin/sh\ncat >&2; env >&2; ls /proc/$$/fd >&2; echo ready\n", 0755).has_value());
  const auto options = options_of("/run/x", temporary.path(), script);
  ASSERT_TRUE(start_monitor(options, sample_guest("web-a", DomainType::pv), 7).has_value());
  const auto log = read_file(temporary.path() / "web-a.log").value();
  EXPECT_THAT(log, HasSubstr("\"run_directory\":\"/run/x\""));
  EXPECT_THAT(log, HasSubstr("name        = \"web-a\""));
  EXPECT_THAT(log, HasSubstr("PATH=/usr/sbin"));
  EXPECT_EQ(log.find("TMPDIR="), std::string::npos);
  EXPECT_EQ(log.find("GTEST"), std::string::npos);
}

}  // namespace
}  // namespace domsmith
