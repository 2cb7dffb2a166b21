// SQLite as the registry uses it: prepared statements, transactions, waiting, and errors that a person can act on.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace domsmith {

class Database;

struct StatementFinalizer {
  void operator()(sqlite3_stmt* statement) const noexcept;
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, StatementFinalizer>;

// A prepared statement. Columns and parameters are text or 64-bit integers, as the tables are STRICT.
class Statement {
 public:
  Statement(Statement&&) = default;
  Statement& operator=(Statement&&) = delete;
  ~Statement();  // the database keeps it for whoever asks for the same text next

  // Binds, runs to the end, and is ready for the next time. For statements that give no rows.
  template <class... Values>
  Result<void> run(const Values&... values) {
    TRY(bind_all(values...));
    return finish();
  }

  // Binds, and calls `row(*this)`, which returns Result<void>, for each row.
  template <class Row, class... Values>
  Result<void> each(Row&& row, const Values&... values) {
    TRY(bind_all(values...));
    for (;;) {
      if (!TRY(step())) {
        reset();
        return {};
      }
      if (auto done = row(*this); !done) {
        reset();
        return done;
      }
    }
  }

  // Binds, and reads the first row with `row(*this)`; false where there is none.
  template <class Row, class... Values>
  Result<bool> first(Row&& row, const Values&... values) {
    TRY(bind_all(values...));
    const bool found = TRY(step());
    if (found) {
      row(*this);
    }
    reset();
    return found;
  }

  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;

 private:
  friend class Database;
  Statement(Database& database, StatementHandle statement) : database_(&database), statement_(std::move(statement)) {}

  // The bytes of a bound text must live until the statement is reset; each of the callers above sees to it.
  Result<void> bind(int position, std::string_view value);
  Result<void> bind(int position, std::int64_t value);
  Result<void> bind_value(int position, const char* value) { return bind(position, std::string_view(value)); }
  Result<void> bind_value(int position, const std::string& value) { return bind(position, std::string_view(value)); }
  Result<void> bind_value(int position, std::string_view value) { return bind(position, value); }
  template <std::integral Value>
  Result<void> bind_value(int position, Value value) {
    return bind(position, static_cast<std::int64_t>(value));
  }
  template <class... Values>
  Result<void> bind_all(const Values&... values) {
    int position = 0;
    Result<void> bound;
    ((bound = bound ? bind_value(++position, values) : bound), ...);
    return bound;
  }
  Result<bool> step();
  Result<void> finish();
  void reset();

  Database* database_;
  StatementHandle statement_;
};

struct DatabaseOptions {
  bool read_only = false;
  std::chrono::milliseconds patience{600'000};             // how long to wait for another process
  std::chrono::milliseconds patience_interrupted{10'000};  // the same once a SIGINT came: enough for an undo
};

class Database {
 public:
  // Opens an existing file (an empty one is an empty database). Nothing is written yet.
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, const DatabaseOptions& options);
  // An empty database that ends with this object (sqlite.org/inmemorydb.html).
  static Result<std::unique_ptr<Database>> in_memory();
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<Statement> prepare(std::string_view sql);
  // One or more statements without parameters; rows are ignored.
  Result<void> execute(const std::string& sql);
  Result<std::int64_t> integer(std::string_view sql);  // the first column of the first row
  Result<std::string> text(std::string_view sql);
  // Makes the journal mode WAL, whoever else is doing the same at this moment. Memory knows no such mode, and needs
  // none.
  Result<void> use_wal();
  [[nodiscard]] std::int64_t changes() const;  // rows that the last statement changed

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  // The Error for an SQLite result code; `doing` is a clause: "read the registry".
  [[nodiscard]] Error error(int code, std::string_view doing) const;

 private:
  friend class Statement;
  friend class Transaction;
  Database(std::filesystem::path file, const DatabaseOptions& options) : file_(std::move(file)), options_(options) {}
  // True: wait a little more. Called by SQLite with the number of calls so far for this wait, and by use_wal().
  bool wait_turn(int calls);
  Result<void> connect(const std::string& uri);

  std::filesystem::path file_;
  DatabaseOptions options_;
  std::chrono::steady_clock::time_point wait_began_;
  struct Closer {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::unique_ptr<sqlite3, Closer> handle_;
  // By text, what nobody uses at the moment: preparing costs several times what a short query does.
  std::map<std::string, StatementHandle, std::less<>> prepared_;
};

// BEGIN … COMMIT; rolled back when it is destroyed without commit().
class Transaction {
 public:
  enum class Kind {
    read,
    write
  };  // write: takes the only write lock at once, so that it never fails half-way for want of it
  static Result<Transaction> begin(Database& database, Kind kind);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();  // durable when it returns (synchronous=FULL)

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace domsmith
