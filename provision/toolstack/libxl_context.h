// One connection to libxl (libxl.h), whose log becomes causes of Errors instead of lines on stderr.
#pragma once

extern "C" {  // libxl's headers do not say so themselves
#include <libxl.h>
#include <libxl_utils.h>
#include <xentoollog.h>
}

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith {

inline constexpr std::uint64_t kib_per_mib = 1024;  // libxl counts memory in KiB, recipes and configs in MiB

// Keeps the last warnings and errors; everything goes to base/log.h's debug level too.
class LogCapture {
 public:
  LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  ~LogCapture() = default;
  xentoollog_logger* logger() { return &hooks_.table; }
  // What came since the last call, oldest first.
  std::vector<std::string> take();

 private:
  struct Hooks {
    xentoollog_logger table;  // first: libxl hands a pointer to it back
    LogCapture* self;
  };
  static void message(xentoollog_logger* logger, xentoollog_level level, int error_number, const char* context,
                      const char* format, va_list arguments);
  Hooks hooks_{};
  std::deque<std::string> lines_;
};

class LibxlContext {
 public:
  // denied or failed, with what libxl says.
  static Result<std::unique_ptr<LibxlContext>> open();
  LibxlContext(const LibxlContext&) = delete;
  LibxlContext& operator=(const LibxlContext&) = delete;
  ~LibxlContext();

  [[nodiscard]] libxl_ctx* get() const { return context_; }
  void forget_log() { static_cast<void>(log_.take()); }
  // An Error whose causes are what libxl logged since it was last asked, then its return code's name.
  std::unexpected<Error> failure(std::string what, int code, std::string remedy = {});

 private:
  LibxlContext() = default;
  LogCapture log_;
  libxl_ctx* context_ = nullptr;
};

}  // namespace domsmith
