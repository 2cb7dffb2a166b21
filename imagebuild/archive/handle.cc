#include "imagebuild/archive/handle.h"

#include <utility>

namespace domsmith {

void support_filters(struct archive* handle) {
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_bzip2(handle);
  archive_read_support_filter_compress(handle);
  archive_read_support_filter_lzip(handle);
  archive_read_support_filter_lzma(handle);
  archive_read_support_filter_xz(handle);
  archive_read_support_filter_zstd(handle);
  archive_read_support_filter_lz4(handle);
}

std::unexpected<Error> archive_fail(struct archive* handle, std::string what) {
  Error error;
  error.code = ErrorCode::bad_input;
  error.what = std::move(what);
  if (const char* text = archive_error_string(handle); text != nullptr) {
    error.causes.emplace_back(text);
  }
  return std::unexpected(std::move(error));
}

}  // namespace domsmith
