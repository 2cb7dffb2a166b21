#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace domsmith {

Error Error::because_of(std::string outer) && {
  causes.insert(causes.begin(), std::move(what));
  what = std::move(outer);
  return std::move(*this);
}

Error Error::with_remedy(std::string text) && {
  remedy = std::move(text);
  return std::move(*this);
}

std::unexpected<Error> fail(ErrorCode code, std::string what, std::string remedy) {
  Error error;
  error.code = code;
  error.what = std::move(what);
  error.remedy = std::move(remedy);
  return std::unexpected(std::move(error));
}

namespace {

ErrorCode code_of_errno(int value) {
  switch (value) {
    case ENOENT:
      return ErrorCode::not_found;
    case EEXIST:
      return ErrorCode::exists;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::no_space;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::denied;
    case EBUSY:
    case EWOULDBLOCK:
      return ErrorCode::busy;
    case EOPNOTSUPP:
    case ENOSYS:
      return ErrorCode::unsupported;
    default:
      return ErrorCode::failed;
  }
}

}  // namespace

std::unexpected<Error> fail_errno(std::string what, int errno_value, std::string remedy) {
  Error error;
  error.code = code_of_errno(errno_value);
  error.what = std::move(what);
  error.causes.push_back(std::generic_category().message(errno_value));
  error.remedy = std::move(remedy);
  return std::unexpected(std::move(error));
}

std::unexpected<Error> wrap(Error inner, std::string what) {
  return std::unexpected(std::move(inner).because_of(std::move(what)));
}

}  // namespace domsmith
