#include "provision/toolstack/libxl_context.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/log.h"

namespace domsmith {
namespace {

constexpr std::size_t kept_lines = 12;

// libxl reaps the hotplug scripts that it starts, and no child of ours.
const libxl_childproc_hooks selective_reap{.chldowner = libxl_sigchld_owner_libxl_always_selective_reap,
                                           .fork_replacement = nullptr,
                                           .reaped_callback = nullptr};

ErrorCode code_of(int code) {
  switch (code) {
    case ERROR_DOMAIN_NOTFOUND:
    case ERROR_NOTFOUND:
    case ERROR_DOMAIN_DESTROYED:
      return ErrorCode::not_found;
    case ERROR_NOMEM:
      return ErrorCode::no_space;
    case ERROR_TIMEDOUT:
    case ERROR_GUEST_TIMEDOUT:
    case ERROR_LOCK_FAIL:
      return ErrorCode::busy;
    default:
      return ErrorCode::failed;
  }
}

}  // namespace

LogCapture::LogCapture() {
  hooks_.table.vmessage = &LogCapture::message;
  hooks_.table.progress = nullptr;
  hooks_.table.destroy = [](xentoollog_logger*) {};
  hooks_.self = this;
}

void LogCapture::message(xentoollog_logger* logger, xentoollog_level level, int error_number, const char* context,
                         const char* format, va_list arguments) {
  std::array<char, 1024> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  std::string line(text.data());
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
    line.pop_back();
  }
  if (error_number >= 0) {
    line += fmt::format(": {}", std::strerror(error_number));
  }
  log_debug(fmt::format("{}: {}", context == nullptr ? "libxl" : context, line));
  if (level < XTL_WARN) {
    return;
  }
  auto& lines = reinterpret_cast<Hooks*>(logger)->self->lines_;
  lines.push_back(std::move(line));
  if (lines.size() > kept_lines) {
    lines.pop_front();
  }
}

std::vector<std::string> LogCapture::take() {
  std::vector<std::string> lines(std::make_move_iterator(lines_.begin()), std::make_move_iterator(lines_.end()));
  lines_.clear();
  return lines;
}

Result<std::unique_ptr<LibxlContext>> LibxlContext::open() {
  std::unique_ptr<LibxlContext> made(new LibxlContext());
  const int code = libxl_ctx_alloc(&made->context_, LIBXL_VERSION, 0, made->log_.logger());
  if (code != 0) {
    made->context_ = nullptr;
    return made->failure("cannot talk to Xen", code, "see `domsmith doctor`; guests are managed as root");
  }
  libxl_childproc_setmode(made->context_, &selective_reap, nullptr);
  return made;
}

LibxlContext::~LibxlContext() {
  if (context_ != nullptr) {
    libxl_ctx_free(context_);
  }
}

std::unexpected<Error> LibxlContext::failure(std::string what, int code, std::string remedy) {
  Error error{.code = code_of(code),
              .what = std::move(what),
              .where = {},
              .causes = log_.take(),
              .remedy = std::move(remedy),
              .others = {}};
  const char* name = libxl_error_to_string(static_cast<libxl_error>(code));
  error.causes.push_back(name == nullptr ? fmt::format("libxl's error {}", code)
                                         : fmt::format("libxl's error '{}'", name));
  return std::unexpected(std::move(error));
}

}  // namespace domsmith
