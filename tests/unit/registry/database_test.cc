#include "provision/registry/database.h"

#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

class DatabaseTest : public RegistryTest {
 protected:
  DatabaseTest() {
    value_of(write_file_atomic(file_, ""));
    database_ = connect({});
    value_of(database_->use_wal());
    value_of(database_->execute("CREATE TABLE t (text TEXT NOT NULL, number INTEGER NOT NULL) STRICT"));
  }
  [[nodiscard]] std::unique_ptr<Database> connect(const DatabaseOptions& options) const {
    return value_of(Database::open(file_, options));
  }
  std::unique_ptr<Database> database_;
};

TEST_F(DatabaseTest, TextAndNumbersComeBackAsTheyWere) {
  auto insert = value_of(database_->prepare("INSERT INTO t VALUES (?, ?)"));
  value_of(insert.run(std::string("a\0b", 3), INT64_MIN));
  value_of(insert.run("", UINT64_MAX));
  value_of(insert.run(std::string_view(), true));
  auto select = value_of(database_->prepare("SELECT text, number FROM t"));
  std::vector<std::pair<std::string, std::int64_t>> rows;
  value_of(select.each([&](const Statement& row) -> Result<void> {
    rows.emplace_back(row.text(0), row.integer(1));
    return {};
  }));
  EXPECT_THAT(rows, testing::ElementsAre(testing::Pair(std::string("a\0b", 3), INT64_MIN), testing::Pair("", -1),
                                         testing::Pair("", 1)));
}

TEST_F(DatabaseTest, WithoutCommitNothingHappened) {
  {
    auto transaction = value_of(Transaction::begin(*database_, Transaction::Kind::write));
    value_of(database_->execute("INSERT INTO t VALUES ('x', 1)"));
  }
  EXPECT_EQ(value_of(database_->integer("SELECT count(*) FROM t")), 0);
}

TEST_F(DatabaseTest, AnErrorOfARowEndsTheQueryAndTheStatementCanBeUsedAgain) {
  value_of(database_->execute("INSERT INTO t VALUES ('x', 1), ('y', 2)"));
  auto select = value_of(database_->prepare("SELECT text FROM t WHERE number >= ?"));
  EXPECT_THAT(select.each([](const Statement&) -> Result<void> { return fail(ErrorCode::failed, "no"); }, 1),
              FailsWith(ErrorCode::failed, "no"));
  std::string found;
  EXPECT_TRUE(value_of(select.first([&](const Statement& row) { found = row.text(0); }, 2)));
  EXPECT_EQ(found, "y");
}

TEST_F(DatabaseTest, AStatementThatWasKeptIsAsNew) {
  constexpr const char* text = "SELECT text FROM t WHERE number = ?";
  value_of(database_->execute("INSERT INTO t VALUES ('x', 1), ('y', 2)"));
  const auto found = [&](Statement& statement, int number) {
    std::string row_text;
    value_of(statement.first([&](const Statement& row) { row_text = row.text(0); }, number));
    return row_text;
  };
  {
    auto abandoned = value_of(database_->prepare(text));
    EXPECT_THAT(abandoned.each([](const Statement&) -> Result<void> { return fail(ErrorCode::failed, "no"); }, 1),
                FailsWith(ErrorCode::failed, "no"));
  }
  auto one = value_of(database_->prepare(text));
  auto other = value_of(database_->prepare(text));  // while the first is in use
  value_of(one.each(
      [&](const Statement& row) -> Result<void> {
        EXPECT_EQ(row.text(0), "x");
        EXPECT_EQ(found(other, 2), "y");
        return {};
      },
      1));
  {
    auto gone = std::move(one);
  }
  value_of(database_->execute("ALTER TABLE t ADD COLUMN more INTEGER"));
  auto late = value_of(database_->prepare(text));
  EXPECT_EQ(found(late, 2), "y");
  EXPECT_EQ(value_of(late.first([](const Statement&) {})), false);  // what was bound is not bound any more
}

TEST_F(DatabaseTest, AFullFileIsNoSpace) {
  value_of(database_->execute("PRAGMA max_page_count = 12"));
  const auto filled = database_->execute("INSERT INTO t VALUES (hex(zeroblob(1000000)), 1)");
  EXPECT_THAT(filled, FailsWith(ErrorCode::no_space, HasSubstr("cannot write the registry " + file_.string())));
  EXPECT_EQ(filled.error().remedy,
            "free some space on the file system of " + file_.string() + ", then run the command again");
  EXPECT_EQ(value_of(database_->integer("SELECT count(*) FROM t")), 0);
}

TEST_F(DatabaseTest, PatienceEnds) {
  const auto other = connect({.patience = std::chrono::milliseconds(30)});
  {
    const auto held = value_of(Transaction::begin(*database_, Transaction::Kind::write));
    const auto refused = Transaction::begin(*other, Transaction::Kind::write);
    EXPECT_THAT(refused, FailsWith(ErrorCode::busy, HasSubstr("another process has held the registry")));
    EXPECT_THAT(error_text(refused.error()), testing::Not(HasSubstr("locked")));
    EXPECT_EQ(value_of(other->integer("SELECT count(*) FROM t")), 0);  // readers do not wait
  }
  value_of(value_of(Transaction::begin(*other, Transaction::Kind::write)).commit());
}

TEST_F(DatabaseTest, UniqueIsExists) {
  value_of(database_->execute("CREATE UNIQUE INDEX u ON t (text)"));
  auto insert = value_of(database_->prepare("INSERT INTO t VALUES (?, 1)"));
  value_of(insert.run("x"));
  EXPECT_THAT(insert.run("x"), FailsWith(ErrorCode::exists, HasSubstr("cannot write")));
  value_of(insert.run("y"));
}

}  // namespace
}  // namespace domsmith
