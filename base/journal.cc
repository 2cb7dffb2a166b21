#include "base/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json_text.h"
#include "base/text.h"

namespace domsmith {

namespace fs = std::filesystem;
using nlohmann::json;

Result<void> Operation::append(const json& line) {
  TRY_AS(write_all(fd_.get(), json_line(line) + '\n'), fmt::format("cannot write the journal {}", path_.string()));
  if (::fdatasync(fd_.get()) != 0) {
    return fail_errno(fmt::format("cannot sync the journal {}", path_.string()), errno);
  }
  return {};
}

Result<void> Operation::record(std::string_view step, json arguments) {
  TRY(append({{"step", step}, {"arguments", arguments}}));
  steps_.push_back({std::string(step), std::move(arguments)});
  return {};
}

Result<void> Operation::commit() {
  TRY(fail_point(verb_ + ".commit.before"));
  TRY(append({{"committed", true}}));
  committed_ = true;
  return fail_point(verb_ + ".commit.after");
}

Result<void> Operation::finish() {
  TRY(fail_point(verb_ + ".finish.before"));
  TRY(remove_file(path_));
  fd_.reset();
  return fail_point(verb_ + ".finish.after");
}

namespace {

// Sorts by time: nanoseconds since the epoch, then random digits against two that begin at once.
std::string new_id() {
  std::array<std::byte, 4> tail{};
  system_random().fill(tail);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return fmt::format("{:020}-{}", std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(), hex(tail));
}

// Whoever looks for what dead processes left may take the file for one of theirs before it is locked, and remove it:
// then once more.
Result<Fd> new_locked_file(const fs::path& path) {
  for (;;) {
    Fd fd = TRY_AS(open_fd(path.string(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600), "cannot keep a journal");
    while (::flock(fd.get(), LOCK_EX) != 0) {
      if (errno != EINTR) {
        return fail_errno(fmt::format("cannot lock the journal {}", path.string()), errno);
      }
    }
    struct stat info{};
    if (::fstat(fd.get(), &info) == 0 && info.st_nlink > 0) {
      return fd;
    }
  }
}

}  // namespace

Result<Operation> Journal::begin(std::string_view verb, json parameters) const {
  TRY_AS(make_directories(directory_, 0700), "cannot keep a journal");
  Operation operation;
  operation.id_ = new_id();
  operation.verb_ = verb;
  operation.parameters_ = std::move(parameters);
  operation.path_ = directory_ / (operation.id_ + ".journal");
  // Locked under another name first: nobody must find it unlocked while its owner lives.
  const fs::path hidden = directory_ / ("." + operation.id_ + ".new");
  operation.fd_ = TRY(new_locked_file(hidden));
  const json header{{"id", operation.id_},
                    {"verb", verb},
                    {"started", utc_text(system_clock().now())},
                    {"parameters", operation.parameters_}};
  auto written = operation.append(header);
  if (written && ::rename(hidden.c_str(), operation.path_.c_str()) != 0) {
    written = fail_errno(fmt::format("cannot begin the journal {}", operation.path_.string()), errno);
  }
  if (written) {
    written = sync_directory(directory_);
  }
  if (!written) {
    ::unlink(hidden.c_str());
    ::unlink(operation.path_.c_str());
    return std::unexpected(std::move(written).error());
  }
  TRY(fail_point(operation.verb_ + ".begin.after"));
  return operation;
}

namespace {

struct Found {
  fs::path path;
  Fd fd;
  bool locked = false;
};

// Opens each journal file and tries its lock. A file removed between listing and locking is passed over.
Result<std::vector<Found>> survey(const fs::path& directory) {
  std::vector<Found> found;
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (it->path().extension() == ".journal" || (name.starts_with('.') && name.ends_with(".new"))) {
      paths.push_back(it->path());
    }
  }
  if (error && error.value() != ENOENT) {
    return fail_errno(fmt::format("cannot read the journal folder {}", directory.string()), error.value());
  }
  std::ranges::sort(paths);
  for (const fs::path& path : paths) {
    auto fd = open_fd(path.string(), O_RDWR | O_APPEND);
    if (!fd) {
      if (fd.error().code == ErrorCode::not_found) {
        continue;
      }
      return std::unexpected(std::move(fd).error());
    }
    const bool locked = ::flock(fd->get(), LOCK_EX | LOCK_NB) == 0;
    struct stat by_fd{}, by_path{};
    if (::fstat(fd->get(), &by_fd) == 0 && ::stat(path.c_str(), &by_path) == 0 && by_fd.st_ino == by_path.st_ino) {
      found.push_back({path, std::move(*fd), locked});
    }
  }
  return found;
}

}  // namespace

Result<std::vector<Operation>> Journal::abandoned() const {
  std::vector<Operation> operations;
  for (Found& found : TRY(survey(directory_))) {
    if (!found.locked) {
      continue;
    }
    const std::string name = found.path.filename().string();
    const std::string bytes = TRY(read_file(found.path));
    const std::string_view whole = std::string_view(bytes).substr(0, bytes.rfind('\n') + 1);
    if (name.starts_with('.') || whole.empty()) {
      TRY(remove_file(found.path));  // died before its first step could be made
      continue;
    }
    Operation operation;
    operation.path_ = found.path;
    operation.fd_ = std::move(found.fd);
    if (whole.size() != bytes.size() && ::ftruncate(operation.fd_.get(), static_cast<off_t>(whole.size())) != 0) {
      return fail_errno(fmt::format("cannot mend the journal {}", found.path.string()), errno);
    }
    for (const std::string& line : split_lines(whole)) {
      const json record = json::parse(line, nullptr, false);
      if (!record.is_object()) {
        return fail(
            ErrorCode::failed, fmt::format("the journal {} is damaged", found.path.string()),
            fmt::format("look at it; when nothing in it matters any more, remove it: rm {}", found.path.string()));
      }
      if (record.contains("id")) {
        operation.id_ = record.value("id", "");
        operation.verb_ = record.value("verb", "");
        operation.parameters_ = record.value("parameters", json::object());
      } else if (record.contains("step")) {
        operation.steps_.push_back({record.value("step", ""), record.value("arguments", json::object())});
      } else if (record.value("committed", false)) {
        operation.committed_ = true;
      }
    }
    operations.push_back(std::move(operation));
  }
  return operations;
}

Result<std::vector<std::string>> Journal::running() const {
  std::vector<std::string> ids;
  for (const Found& found : TRY(survey(directory_))) {
    if (!found.locked && found.path.extension() == ".journal") {
      ids.push_back(found.path.stem().string());
    }
  }
  return ids;
}

}  // namespace domsmith
