#include "provision/guests/filesystem_size.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace domsmith {

namespace {

constexpr std::uint64_t kib = 1024;

std::vector<std::string> check_command(const std::string& device) { return {"e2fsck", "-f", "-p", device}; }

std::vector<std::string> resize_command(const std::string& device, std::uint64_t size) {
  return {"resize2fs", device, fmt::format("{}K", size / kib)};
}

Result<Command> command(std::vector<std::string> argv) {
  argv.front() = TRY(find_program(argv.front()));
  // A group of its own: a Ctrl-C at the terminal does not cut it off in the middle.
  return Command{.argv = std::move(argv), .environment = {}, .working_directory = {}, .process_group = true};
}

// e2fsck(8), EXIT CODE: 1 is "errors corrected".
Result<void> check(const std::string& device) {
  const Finished done = TRY(run(TRY(command(check_command(device)))));
  if (done.status.signal == 0 && done.status.code <= 1) {
    return {};
  }
  auto failed = fail(ErrorCode::unsupported, fmt::format("the file system of {} needs a repair first", device),
                     fmt::format("e2fsck -f {}", device));
  failed.error().causes.push_back(trimmed(done.out + done.err_tail));
  return failed;
}

// "Estimated minimum size of the filesystem: 1234"
std::uint64_t last_number(std::string_view text) {
  const std::string words = trimmed(text);
  const std::size_t colon = words.rfind(':');
  std::uint64_t number = 0;
  if (colon != std::string::npos) {
    const std::string digits = trimmed(std::string_view(words).substr(colon + 1));
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
  }
  return number;
}

Result<std::uint64_t> block_size(const std::string& device) {
  const Finished described = TRY(run_checked(TRY(command({"dumpe2fs", "-h", device}))));
  for (const std::string& line : split_lines(described.out)) {
    if (line.starts_with("Block size:")) {
      return last_number(line);
    }
  }
  return fail(ErrorCode::failed, fmt::format("cannot read the block size of {}", device));
}

// Held by this process and by the program that it starts, which outlives it when it is killed: a recovery waits here.
Result<Fd> hold(const std::filesystem::path& undo) {
  const std::string file = undo.string() + ".lock";
  Fd fd = TRY(open_fd(file, O_RDWR | O_CREAT, 0600));
  if (::flock(fd.get(), LOCK_EX) != 0 || ::fcntl(fd.get(), F_SETFD, 0) != 0) {  // 0: without FD_CLOEXEC
    return fail_errno(fmt::format("cannot lock {}", file), errno);
  }
  return fd;
}

std::filesystem::path size_file(const std::filesystem::path& undo) { return undo.string() + ".size"; }

// A file that resize2fs makes shorter it cuts off, as the last thing that it does: then there is nothing to take back,
// and no way to, for what was behind the end is gone.
Result<bool> was_cut_off(const std::string& device, const std::filesystem::path& undo) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(device, error) || !std::filesystem::exists(size_file(undo), error)) {
    return false;
  }
  const std::string text = TRY(read_file(size_file(undo), 32));
  std::uint64_t before = 0;
  std::from_chars(text.data(), text.data() + text.size(), before);
  return std::filesystem::file_size(device, error) < before;
}

// Whether anything was overwritten: the header's second word is the number of keys (e2fsprogs, lib/ext2fs/undo_io.c,
// struct undo_header), little endian, written before what it stands for.
Result<bool> holds_anything(const std::filesystem::path& undo) {
  std::error_code error;
  if (!std::filesystem::exists(undo, error)) {
    return false;
  }
  const Fd fd = TRY(open_fd(undo.string(), O_RDONLY));
  std::array<char, 16> header{};
  const ssize_t count = ::pread(fd.get(), header.data(), header.size(), 0);
  if (count < 0) {
    return fail_errno(fmt::format("cannot read {}", undo.string()), errno);
  }
  return std::any_of(header.begin() + 8, header.end(), [](char byte) { return byte != 0; });
}

}  // namespace

Result<std::uint64_t> least_filesystem_size(const std::string& device) {
  TRY(check(device));
  const Finished described = TRY(run_checked(TRY(command({"resize2fs", "-P", device}))));
  const std::uint64_t blocks = last_number(described.out);
  if (blocks == 0) {
    return fail(ErrorCode::failed,
                fmt::format("cannot read what resize2fs says of {}: {}", device, trimmed(described.out)));
  }
  return blocks * TRY(block_size(device));
}

Result<void> resize_filesystem(const std::string& device, std::uint64_t size, const std::filesystem::path& undo) {
  const Fd held = TRY(hold(undo));
  TRY(check(device));
  std::error_code error;
  TRY(write_file_atomic(size_file(undo), std::to_string(std::filesystem::file_size(device, error))));
  std::vector<std::string> argv = resize_command(device, size);
  argv.insert(argv.begin() + 1, {"-z", undo.string()});
  const Finished done = TRY(run(TRY(command(std::move(argv)))));
  if (!done.status.success()) {
    auto failed =
        fail(ErrorCode::no_space, fmt::format("cannot make the file system of {} {} long", device, size_text(size)),
             "choose a larger size");
    failed.error().causes.push_back(trimmed(done.err_tail));
    return failed;
  }
  const Fd fd = TRY(open_fd(device, O_RDWR));
  if (::fsync(fd.get()) != 0) {
    return fail_errno(fmt::format("cannot sync {}", device), errno);
  }
  return {};
}

Result<void> undo_resize(const std::string& device, const std::filesystem::path& undo) {
  const Fd held = TRY(hold(undo));
  if (!TRY(holds_anything(undo))) {
    return {};
  }
  if (TRY(was_cut_off(device, undo))) {
    return check(device);
  }
  // -f: the undo file of a run that was killed was not closed.
  const Finished done = TRY(run(TRY(command({"e2undo", "-f", undo.string(), device}))));
  if (!done.status.success()) {
    auto failed = fail(ErrorCode::failed, fmt::format("cannot take back the resizing of {}", device),
                       fmt::format("look at it with e2fsck; what was overwritten is in {}", undo.string()));
    failed.error().causes.push_back(trimmed(done.out + done.err_tail));
    return failed;
  }
  return check(device);
}

std::vector<std::string> plan_filesystem_size(const std::string& device, std::uint64_t size) {
  return {join(check_command(device), " "), join(resize_command(device, size), " ")};
}

}  // namespace domsmith
