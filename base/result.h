// Result and Error: how every function of domsmith says that it failed.
//
// An Error holds what failed, where (for input files), why (the chain of causes, outermost first) and what to do
// about it. base/error_text.h turns it into what a person reads.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace domsmith {

// What a caller may want to react to. A person reads the text, never the code.
enum class ErrorCode {
  failed,       // the operation failed
  bad_input,    // an input file or the usage is wrong (exit status 2)
  not_found,    // the named thing does not exist
  exists,       // the name is taken
  busy,         // another process works on the same thing
  no_space,     // a disk, file system or pool is full
  unsupported,  // this host or this store cannot do it
  denied,       // not permitted to this user
  interrupted,  // SIGINT or SIGTERM arrived
};

// A place in an input file. line and column start at 1, column counts bytes.
struct SourcePoint {
  std::string file;
  unsigned line = 0;
  unsigned column = 0;
  std::string text;    // the whole line, without its newline
  unsigned width = 1;  // how many bytes the caret underlines
  std::string hint;    // stands behind the caret, e.g. "did you mean 'install'?"
};

struct Error {
  ErrorCode code = ErrorCode::failed;
  std::string what;  // one clause, no capital, no full stop: "cannot create volume 'web'"
  std::optional<SourcePoint> where;
  std::vector<std::string> causes;  // why, outermost cause first
  std::string remedy;               // one sentence: what the user can do; may be empty
  std::vector<Error> others;        // further errors of the same input, in the order of the file

  // Wraps this error: `what` becomes the first cause of the new one.
  [[nodiscard]] Error because_of(std::string outer) &&;
  [[nodiscard]] Error with_remedy(std::string text) &&;
};

template <class T>
using Result = std::expected<T, Error>;

// return fail("cannot open {}", path) is spelled: return fail(ErrorCode::failed, fmt::format(…), remedy)
[[nodiscard]] std::unexpected<Error> fail(ErrorCode code, std::string what, std::string remedy = {});
// Adds strerror(errno_value) as the cause and picks the code that fits (ENOENT: not_found, ENOSPC: no_space, …).
[[nodiscard]] std::unexpected<Error> fail_errno(std::string what, int errno_value, std::string remedy = {});
// Passes an error on under a wider headline; `inner.what` becomes a cause.
[[nodiscard]] std::unexpected<Error> wrap(Error inner, std::string what);

}  // namespace domsmith

// TRY(expr): the value of a Result, or return its error to the caller. The name is numbered so that one TRY may stand
// inside another.
#define TRY(expr) DOMSMITH_TRY_(expr, DOMSMITH_JOIN_(try_result_, __COUNTER__))
// TRY_AS(expr, headline): the same, the error wrapped under the headline.
#define TRY_AS(expr, headline) DOMSMITH_TRY_AS_(expr, headline, DOMSMITH_JOIN_(try_result_, __COUNTER__))

#define DOMSMITH_JOIN_(a, b) DOMSMITH_JOIN_AGAIN_(a, b)
#define DOMSMITH_JOIN_AGAIN_(a, b) a##b
#define DOMSMITH_TRY_(expr, name)                          \
  __extension__({                                          \
    auto name = (expr);                                    \
    if (!name) {                                           \
      return ::std::unexpected(::std::move(name).error()); \
    }                                                      \
    ::domsmith::detail::take(::std::move(name));           \
  })
#define DOMSMITH_TRY_AS_(expr, headline, name)                        \
  __extension__({                                                     \
    auto name = (expr);                                               \
    if (!name) {                                                      \
      return ::domsmith::wrap(::std::move(name).error(), (headline)); \
    }                                                                 \
    ::domsmith::detail::take(::std::move(name));                      \
  })

namespace domsmith::detail {
template <class T>
T take(std::expected<T, Error>&& result) {
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}
}  // namespace domsmith::detail
