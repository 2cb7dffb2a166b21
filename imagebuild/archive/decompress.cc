#include "imagebuild/archive/decompress.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/interrupt.h"
#include "base/text.h"
#include "imagebuild/archive/handle.h"

namespace domsmith {
namespace {

constexpr std::string_view magics[] = {
    {"\x1f\x8b", 2},
    {"\xfd"
     "7zXZ\0",
     6},
    {"\x5d\0\0", 3},
    {"\x28\xb5\x2f\xfd", 4},
    {"BZh", 3},
    {"\x04\x22\x4d\x18", 4},
    {"\x02\x21\x4c\x18", 4},
};

bool looks_compressed(std::string_view bytes) {
  return std::ranges::any_of(magics, [bytes](std::string_view magic) { return bytes.starts_with(magic); });
}

Result<std::string> read_all(struct archive* handle, std::size_t limit, std::size_t expected) {
  std::string out;
  out.reserve(std::min(expected, limit));
  std::string piece(256U << 10, '\0');
  for (;;) {
    const la_ssize_t got = archive_read_data(handle, piece.data(), piece.size());
    if (got == 0) {
      return out;
    }
    if (got < 0) {
      return archive_fail(handle, "the compressed bytes are damaged");
    }
    if (static_cast<std::size_t>(got) > limit - out.size()) {
      return fail(ErrorCode::bad_input, fmt::format("it unpacks to more than {}", size_text(limit)));
    }
    out.append(piece, 0, static_cast<std::size_t>(got));
  }
}

int add_filter(struct archive* handle, Compression method) {
  switch (method) {
    case Compression::gzip:
      archive_write_add_filter_gzip(handle);
      return archive_write_set_filter_option(handle, "gzip", "timestamp", nullptr);
    case Compression::xz:
      return archive_write_add_filter_xz(handle);
    case Compression::zstd:
      archive_write_add_filter_zstd(handle);
      return archive_write_set_filter_option(handle, "zstd", "compression-level", "19");
    default:
      return archive_write_add_filter_none(handle);
  }
}

la_ssize_t append_to(struct archive* /*handle*/, void* out, const void* bytes, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

}  // namespace

Result<std::string> decompress(std::string_view bytes, std::size_t limit, std::size_t expected) {
  if (!looks_compressed(bytes)) {
    if (bytes.size() > limit) {
      return fail(ErrorCode::bad_input, fmt::format("it is larger than {}", size_text(limit)));
    }
    return std::string(bytes);
  }
  const ArchiveRead handle(archive_read_new());
  support_filters(handle.get());
  archive_read_support_format_raw(handle.get());
  archive_read_support_format_empty(handle.get());
  struct archive_entry* member = nullptr;
  int code = archive_read_open_memory(handle.get(), bytes.data(), bytes.size());
  if (code == ARCHIVE_OK) {
    code = archive_read_next_header(handle.get(), &member);
  }
  if (code == ARCHIVE_EOF) {
    return std::string();
  }
  if (code != ARCHIVE_OK) {
    return archive_fail(handle.get(), "the compressed bytes are damaged");
  }
  return read_all(handle.get(), limit, expected);
}

namespace {

// A kernel keeps zstd busy for ten seconds and more: piece by piece, so that an interruption is noticed.
Result<void> write_interruptibly(struct archive* handle, std::string_view bytes) {
  constexpr std::size_t piece = 1U << 20;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    TRY(check_interrupted());
    if (archive_write_data(handle, bytes.data(), std::min(piece, bytes.size())) < 0) {
      return archive_fail(handle, "the bytes cannot be compressed");
    }
  }
  return {};
}

}  // namespace

Result<std::string> compress(std::string_view bytes, Compression method) {
  if (method == Compression::none) {
    return std::string(bytes);
  }
  std::string out;
  const ArchiveWrite handle(archive_write_new());
  archive_write_set_format_raw(handle.get());
  archive_write_set_bytes_per_block(handle.get(), 0);
  const std::unique_ptr<struct archive_entry, decltype(&archive_entry_free)> member(archive_entry_new(),
                                                                                    archive_entry_free);
  archive_entry_set_filetype(member.get(), AE_IFREG);
  archive_entry_set_pathname(member.get(), "data");
  if (add_filter(handle.get(), method) != ARCHIVE_OK ||
      archive_write_open(handle.get(), &out, nullptr, append_to, nullptr) != ARCHIVE_OK ||
      archive_write_header(handle.get(), member.get()) != ARCHIVE_OK) {
    return archive_fail(handle.get(), "the bytes cannot be compressed");
  }
  TRY(write_interruptibly(handle.get(), bytes));
  if (archive_write_close(handle.get()) != ARCHIVE_OK) {
    return archive_fail(handle.get(), "the bytes cannot be compressed");
  }
  return out;
}

}  // namespace domsmith
