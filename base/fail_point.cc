#include "base/fail_point.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include "base/fail_hook.h"
#include "base/fd.h"

namespace domsmith {

namespace {

struct Wanted {
  std::string name;
  unsigned pass = 1;
  bool as_error = false;
};

Wanted parse_wanted(std::string_view text) {
  Wanted wanted;
  if (text.ends_with("=error")) {
    wanted.as_error = true;
    text.remove_suffix(6);
  }
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    wanted.pass = static_cast<unsigned>(std::strtoul(std::string(text.substr(colon + 1)).c_str(), nullptr, 10));
    text = text.substr(0, colon);
  }
  wanted.name = text;
  return wanted;
}

// The environment is read at each pass, so that a test can change it between two operations of one process.
unsigned count_pass(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, unsigned> passes;
  const std::lock_guard lock(mutex);
  return ++passes[name];
}

std::function<Result<void>(std::string_view)>& fail_hook() {
  static std::function<Result<void>(std::string_view)> hook;
  return hook;
}

void trace(const char* file, std::string_view name) {
  const Fd fd(::open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (fd && !write_all(fd.get(), fmt::format("{}\n", name))) {
    std::fprintf(stderr, "cannot trace fail points in %s\n", file);  // a test's file
    std::abort();
  }
}

}  // namespace

void set_fail_hook(std::function<Result<void>(std::string_view name)> hook) { fail_hook() = std::move(hook); }

Result<void> fail_point(std::string_view name) {
  if (const auto& hook = fail_hook()) {
    TRY(hook(name));
  }
  if (const char* file = std::getenv("DOMSMITH_FAIL_TRACE"); file != nullptr) {
    trace(file, name);
  }
  const char* setting = std::getenv("DOMSMITH_FAIL");
  if (setting == nullptr) {
    return {};
  }
  const Wanted wanted = parse_wanted(setting);
  if (wanted.name != name || count_pass(wanted.name) != wanted.pass) {
    return {};
  }
  if (wanted.as_error) {
    return fail(ErrorCode::failed, fmt::format("stopped at fail point {}", name));
  }
  if (::getpid() == 1) {
    ::_exit(128 + SIGKILL);  // the first process of a pid namespace is deaf to its own; its end ends all the others
  }
  ::kill(::getpid(), SIGKILL);
  ::pause();  // SIGKILL cannot be delayed for long, but kill(2) may return first
  return {};
}

}  // namespace domsmith
