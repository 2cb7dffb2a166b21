#include "provision/toolstack/monitor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error_text.h"
#include "base/fd.h"
#include "provision/domain/xl_config.h"
#include "provision/toolstack/create_domain.h"
#include "provision/toolstack/domain_watch.h"
#include "provision/toolstack/guest_locks.h"

namespace domsmith {
namespace {

// A guest that restarts this often in this time is left off: it would do so for ever.
constexpr std::size_t restart_limit = 5;
constexpr std::chrono::minutes restart_window{1};

constexpr std::string_view dump_directory = "/var/lib/xen/dump";

void note(std::string_view text) { fmt::print(stderr, "{} {}\n", utc_text(system_clock().now()), text); }

struct Parameters {
  std::uint32_t domid = 0;
  ToolstackOptions options;
  DomainSpec spec;
};

Result<std::string> read_input() {
  std::string text(1U << 20, '\0');
  text.resize(TRY(read_some(STDIN_FILENO, std::as_writable_bytes(std::span(text)))));
  return text;
}

Result<Parameters> read_parameters(const ToolstackOptions& options, std::string_view name, std::uint32_t domid) {
  const auto text = TRY(read_input());
  const auto line = text.substr(0, text.find('\n'));
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) {
    return fail(ErrorCode::bad_input, "a guest's monitor is started by `domsmith guest start`, not by hand");
  }
  Parameters parameters{.domid = domid, .options = options, .spec = {}};
  const auto folder = [&](const char* key, std::filesystem::path& into) {
    if (json.contains(key) && json[key].is_string()) {
      into = json[key].get<std::string>();
    }
  };
  folder("run_directory", parameters.options.run_directory);
  folder("log_directory", parameters.options.log_directory);
  parameters.spec =
      TRY(parse_xl_config(std::string_view(text).substr(std::min(line.size() + 1, text.size())), "guest-monitor"));
  if (parameters.spec.name != name) {
    return fail(ErrorCode::bad_input,
                fmt::format("the monitor of '{}' was given the spec of '{}'", name, parameters.spec.name));
  }
  return parameters;
}

class Monitor {
 public:
  Monitor(LibxlContext& libxl, const Parameters& parameters)
      : libxl_(libxl),
        spec_(parameters.spec),
        domid_(parameters.domid),
        locks_(parameters.options.run_directory, parameters.spec.name) {}

  Result<void> run() {
    const auto mine = TRY(locks_.become_monitor());
    auto watch = std::optional(TRY(DomainWatch::start(libxl_, domid_)));
    TRY(say_ready());
    note(fmt::format("watching domain {} of '{}'", domid_, spec_.name));
    for (;;) {
      const auto news = TRY(watch->wait());
      if (news.gone) {
        note("the domain has gone");
        return {};
      }
      if (news.end == DomainEnd::suspend) {
        // A new watch before the old one ends, or it would report the same suspension again (xl_vmcontrol.c).
        auto next = TRY(DomainWatch::start(libxl_, domid_));
        watch.emplace(std::move(next));
        continue;
      }
      if (!TRY(handle(news.end, watch))) {
        return {};
      }
    }
  }

 private:
  Result<void> say_ready() {
    TRY(write_all(STDOUT_FILENO, std::string_view("ready\n")));
    const Fd null = TRY(open_fd("/dev/null", O_WRONLY));
    return ::dup2(null.get(), STDOUT_FILENO) >= 0 ? Result<void>{} : fail_errno("cannot let go of stdout", errno);
  }

  // Whether there is something to watch still.
  Result<bool> handle(DomainEnd end, std::optional<DomainWatch>& watch) {
    const auto lock = TRY(locks_.lock());
    const auto info = TRY(domain_info(libxl_, domid_));
    if (!info || info->dying) {
      return true;  // somebody was quicker; the watch will say that it has gone
    }
    auto decision = decide(end, spec_, TRY(locks_.stop_is_wanted()));
    if (decision.restart && restarts_too_often()) {
      note("it restarts again and again: it is left off");
      decision.restart = false;
    }
    note(fmt::format("the guest {}: {}", end_word(end),
                     decision.restart ? "restarting" : (decision.take_away ? "taking it away" : "preserving it")));
    if (decision.dump_core) {
      dump_core();
    }
    if (!decision.take_away) {
      return false;
    }
    watch.reset();
    TRY(destroy_domain(libxl_, domid_));
    if (!decision.restart) {
      return false;
    }
    domid_ = TRY(create_paused(libxl_, spec_, TRY(read_xl_settings())));
    watch.emplace(TRY(DomainWatch::start(libxl_, domid_)));
    TRY(unpause_domain(libxl_, domid_));
    note(fmt::format("it runs as domain {}", domid_));
    return true;
  }

  bool restarts_too_often() {
    const auto now = std::chrono::steady_clock::now();
    while (!restarts_.empty() && now - restarts_.front() > restart_window) {
      restarts_.pop_front();
    }
    restarts_.push_back(now);
    return restarts_.size() > restart_limit;
  }

  void dump_core() {
    const auto file = fmt::format("{}/{}", dump_directory, spec_.name);
    const int code = libxl_domain_core_dump(libxl_.get(), domid_, file.c_str(), nullptr);
    note(code == 0 ? fmt::format("core dumped to {}", file)
                   : error_text(libxl_.failure(fmt::format("cannot dump core to {}", file), code).error()));
  }

  LibxlContext& libxl_;
  DomainSpec spec_;
  std::uint32_t domid_;
  GuestLocks locks_;
  std::deque<std::chrono::steady_clock::time_point> restarts_;
};

Result<void> monitor_from_stdin(const ToolstackOptions& options, std::string_view name, std::uint32_t domid) {
  const auto parameters = TRY(read_parameters(options, name, domid));
  const auto libxl = TRY(LibxlContext::open());
  return Monitor(*libxl, parameters).run();
}

}  // namespace

Result<void> run_monitor(const ToolstackOptions& options, std::string_view name, std::uint32_t domid) {
  auto result = monitor_from_stdin(options, name, domid);
  if (!result) {
    note(error_text(result.error()));
    // Whoever started it may still be listening; /dev/null is, otherwise.
    static_cast<void>(write_all(STDOUT_FILENO, result.error().what + "\n"));
  }
  return result;
}

}  // namespace domsmith
