#include "imagebuild/archive/deb.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "base/file.h"
#include "base/progress.h"
#include "base/text.h"

namespace domsmith {
namespace {

constexpr std::string_view ar_magic = "!<arch>\n";
constexpr std::size_t head_bytes = 60;  // ar(5): name 16, time 12, owner 6, group 6, mode 8, size 10, "`\n"
constexpr std::size_t most_members = 16;
constexpr std::size_t most_control_bytes = 32U << 20;

std::unexpected<Error> no_package(const std::string& path, std::string_view why) {
  return fail(ErrorCode::bad_input, fmt::format("{} is no Debian package: {}", path, why));
}

// The members of control.tar, in memory.
class ControlSink final : public TreeSink {
 public:
  Result<void> entry(const Entry& entry) override {
    open_ = nullptr;
    if (entry.type == EntryType::regular && !entry.path.contains('/')) {
      open_ = &files[entry.path];
      *open_ = {.bytes = {}, .mode = entry.mode};
    }
    return {};
  }
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override {
    total_ += bytes.size();
    if (total_ > most_control_bytes || offset > most_control_bytes) {
      return fail(ErrorCode::bad_input, "its control files are too large");
    }
    if (open_ != nullptr) {
      open_->bytes.resize(std::max<std::size_t>(open_->bytes.size(), offset));
      open_->bytes.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return {};
  }
  Result<void> finish() override { return {}; }

  ControlFiles files = {};

 private:
  ControlFile* open_ = nullptr;
  std::size_t total_ = 0;
};

}  // namespace

Result<DebFile> DebFile::open(const std::string& path, const std::string& sha256) {
  DebFile file(TRY(open_fd(path, O_RDONLY)), path);
  if (!sha256.empty() && TRY_AS(sha256_of(file.fd_.get()), fmt::format("cannot read {}", path)) != sha256) {
    return fail(ErrorCode::bad_input, fmt::format("{} is not the package that was signed: its SHA-256 differs", path),
                "remove the file, and build again: it is fetched anew");
  }
  TRY(file.find_parts());
  return file;
}

Result<void> DebFile::find_parts() {
  std::array<char, head_bytes> head{};
  const auto bytes = std::as_writable_bytes(std::span(head));
  if (TRY(pread_some(fd_.get(), 0, bytes.first(ar_magic.size()))) != ar_magic.size() ||
      std::string_view(head.data(), ar_magic.size()) != ar_magic) {
    return no_package(path_, "it does not begin as an ar archive");
  }
  std::uint64_t at = ar_magic.size();
  for (std::size_t number = 0; number < most_members && (control_.length == 0 || data_.length == 0); ++number) {
    if (TRY(pread_some(fd_.get(), at, bytes)) != head_bytes || std::string_view(&head[58], 2) != "`\n") {
      return no_package(path_, "it ends before its data");
    }
    std::uint64_t length = 0;
    const std::string digits = trimmed(std::string_view(&head[48], 10));
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (code != std::errc() || end != digits.data() + digits.size()) {
      return no_package(path_, "a member has no length");
    }
    const std::string_view name(head.data(), 16);
    const Part part{.offset = at + head_bytes, .length = length};
    if (name.starts_with("control.tar")) {
      control_ = part;
    } else if (name.starts_with("data.tar")) {
      data_ = part;
    }
    at += head_bytes + length + length % 2;
  }
  return control_.length == 0 || data_.length == 0 ? no_package(path_, "it has no data") : Result<void>();
}

Result<void> DebFile::read_part(const Part& part, TreeSink& sink, const ArchiveLimits& limits) const {
  if (::lseek(fd_.get(), static_cast<off_t>(part.offset), SEEK_SET) < 0) {
    return fail_errno(fmt::format("cannot read {}", path_), errno);
  }
  SilentProgress silent;
  TRY_AS(read_archive(fd_.get(), part.length, sink, limits, silent), fmt::format("cannot unpack {}", path_));
  return {};
}

Result<ControlFiles> DebFile::control() const {
  ControlSink sink;
  TRY(read_part(control_, sink, {}));
  if (!sink.files.contains("control")) {
    return no_package(path_, "it has no control file");
  }
  return std::move(sink.files);
}

Result<void> DebFile::data(TreeSink& sink, const ArchiveLimits& limits) const { return read_part(data_, sink, limits); }

}  // namespace domsmith
