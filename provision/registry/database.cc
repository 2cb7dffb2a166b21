#include "provision/registry/database.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/interrupt.h"

namespace domsmith {
namespace {

constexpr long kLongestNapMilliseconds = 20;

void nap(long milliseconds) {
  const timespec time{.tv_sec = 0, .tv_nsec = milliseconds * 1'000'000};
  nanosleep(&time, nullptr);  // a signal ends it early, as it should
}

bool on_read_only_file_system(const std::filesystem::path& file) {
  struct statvfs info{};
  return statvfs(file.c_str(), &info) == 0 && (info.f_flag & ST_RDONLY) != 0;
}

std::string uri_of(const std::filesystem::path& file, bool immutable) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(file).string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                       c == '-' || c == '_' || c == '.';
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return immutable ? uri + "?immutable=1" : uri;
}

struct Meaning {
  ErrorCode code;
  std::string_view remedy;
};

Meaning meaning_of(int code, int errno_value) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return interrupted() ? Meaning{ErrorCode::interrupted, ""}
                           : Meaning{ErrorCode::busy, "see which process holds it: fuser -v FILE"};
    case SQLITE_FULL:
      return {ErrorCode::no_space, "free some space on the file system of FILE, then run the command again"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {ErrorCode::denied, "run the command as the owner of FILE, who must be able to write its folder"};
    case SQLITE_CANTOPEN:
      return errno_value == ENOENT
                 ? Meaning{ErrorCode::not_found, ""}
                 : Meaning{ErrorCode::denied,
                           "run the command as the owner of FILE, who must be able to write its folder"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {ErrorCode::failed,
              "put a backup of FILE in its place, or save what can be read: move it away with its -wal and run "
              "sqlite3 OLD .recover | sqlite3 FILE"};
    case SQLITE_IOERR:
      return {errno_value == ENOSPC || errno_value == EDQUOT ? ErrorCode::no_space : ErrorCode::failed,
              "look for disk errors in the kernel's log: dmesg"};
    case SQLITE_CONSTRAINT:
      return {ErrorCode::exists, ""};
    default:
      return {ErrorCode::failed, ""};
  }
}

}  // namespace

// --- Statement

void StatementFinalizer::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Statement::~Statement() {
  if (statement_) {
    reset();
    database_->prepared_.try_emplace(sqlite3_sql(statement_.get()), std::move(statement_));
  }
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

Result<void> Statement::bind(int position, std::string_view value) {
  // A null pointer would be NULL, which no column allows.
  const char* bytes = value.data() == nullptr ? "" : value.data();
  const int code = sqlite3_bind_text64(statement_.get(), position, bytes, value.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) {
    return std::unexpected(database_->error(code, "fill in a statement of the registry"));
  }
  return {};
}

Result<void> Statement::bind(int position, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), position, value);
  if (code != SQLITE_OK) {
    return std::unexpected(database_->error(code, "fill in a statement of the registry"));
  }
  return {};
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code == SQLITE_DONE) {
    return false;
  }
  // To SQLite a COMMIT writes nothing; but it has no columns.
  const bool reads = sqlite3_stmt_readonly(statement_.get()) != 0 && sqlite3_column_count(statement_.get()) > 0;
  auto error = database_->error(code, reads ? "read the registry" : "write the registry");
  sqlite3_reset(statement_.get());
  return std::unexpected(std::move(error));
}

Result<void> Statement::finish() {
  TRY(step());
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // repeats the error of the step before, which was told already
  sqlite3_clear_bindings(statement_.get());
}

// --- Database

void Database::Closer::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, const DatabaseOptions& options) {
  auto database = std::unique_ptr<Database>(new Database(file, options));
  // On a read-only file system the shared memory file of WAL cannot be made, and nobody can write either: SQLite is
  // told that nothing changes (sqlite.org/wal.html, "Read-Only Databases").
  TRY(database->connect(uri_of(file, options.read_only && on_read_only_file_system(file))));
  return database;
}

Result<std::unique_ptr<Database>> Database::in_memory() {
  auto database = std::unique_ptr<Database>(new Database("in memory", {}));
  TRY(database->connect("file::memory:"));
  return database;
}

Result<void> Database::connect(const std::string& uri) {
  const int access = options_.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  const int flags = access | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX;  // one thread's
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &raw, flags, nullptr);
  handle_.reset(raw);
  if (code != SQLITE_OK) {
    return std::unexpected(error(code, "open the registry"));
  }
  sqlite3_busy_handler(
      raw, [](void* self, int calls) { return static_cast<Database*>(self)->wait_turn(calls) ? 1 : 0; }, this);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr);  // a GLOB is not planned anew for each pattern
  return execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;");
}

bool Database::wait_turn(int calls) {
  const auto now = std::chrono::steady_clock::now();
  if (calls == 0) {
    wait_began_ = now;
  }
  const auto limit = interrupted() ? std::min(options_.patience, options_.patience_interrupted) : options_.patience;
  if (now - wait_began_ >= limit) {
    return false;
  }
  nap(std::min(1L << std::min(calls, 10), kLongestNapMilliseconds));
  return true;
}

Result<Statement> Database::prepare(std::string_view sql) {
  if (const auto kept = prepared_.find(sql); kept != prepared_.end()) {
    Statement statement(*this, std::move(kept->second));
    prepared_.erase(kept);
    return statement;
  }
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (code != SQLITE_OK) {
    return std::unexpected(error(code, "read the registry"));
  }
  return Statement(*this, StatementHandle(raw));
}

Result<void> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) {
    return std::unexpected(error(code, "write the registry"));
  }
  return {};
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  auto statement = TRY(prepare(sql));
  std::int64_t value = 0;
  TRY(statement.first([&](const Statement& row) { value = row.integer(0); }));
  return value;
}

Result<std::string> Database::text(std::string_view sql) {
  auto statement = TRY(prepare(sql));
  std::string value;
  TRY(statement.first([&](const Statement& row) { value = row.text(0); }));
  return value;
}

Result<void> Database::use_wal() {
  // The change of mode needs the whole file for itself and gives SQLITE_BUSY without asking the busy handler, so as not
  // to wait for itself (sqlite3_busy_handler's manual): the waiting is done here.
  for (int calls = 0;; ++calls) {
    auto mode = text("PRAGMA journal_mode = WAL");
    if (mode && (*mode == "wal" || *mode == "memory")) {
      return {};
    }
    if (mode) {
      return fail(ErrorCode::unsupported, fmt::format("the file system of {} cannot hold a registry", file_.string()),
                  "it needs shared memory maps: use a local file system");
    }
    if (mode.error().code != ErrorCode::busy || !wait_turn(calls)) {
      return std::unexpected(std::move(mode).error());
    }
  }
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }

Error Database::error(int code, std::string_view doing) const {
  const int errno_value = handle_ ? sqlite3_system_errno(handle_.get()) : 0;
  const auto [kind, remedy] = meaning_of(code, errno_value);
  Error error;
  error.code = kind;
  error.what = kind == ErrorCode::busy
                   ? fmt::format("another process has held the registry {} for too long", file_.string())
                   : fmt::format("cannot {} {}", doing, file_.string());
  if (kind != ErrorCode::busy) {
    error.causes.emplace_back(handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code));
  }
  if (const bool io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN; io && errno_value != 0) {
    error.causes.emplace_back(std::strerror(errno_value));
  }
  error.remedy = remedy;
  for (std::size_t at = 0; (at = error.remedy.find("FILE", at)) != std::string::npos; at += file_.string().size()) {
    error.remedy.replace(at, 4, file_.string());
  }
  return error;
}

// --- Transaction

Result<Transaction> Transaction::begin(Database& database, Kind kind) {
  auto begin = TRY(database.prepare(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN"));
  TRY(begin.run());
  return Transaction(database);
}

Transaction::~Transaction() {
  // Some errors (a full disk among them) have rolled it back already.
  if (database_ != nullptr && sqlite3_get_autocommit(database_->handle_.get()) == 0) {
    sqlite3_exec(database_->handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

Result<void> Transaction::commit() {
  auto commit = TRY(database_->prepare("COMMIT"));
  TRY(commit.run());
  database_ = nullptr;
  return {};
}

}  // namespace domsmith
