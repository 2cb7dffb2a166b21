#include "provision/registry/schema.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "provision/registry/database.h"
#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

class RegistryFile : public RegistryTest {
 protected:
  // As another program would do it, without our checks.
  void execute(const std::string& sql) const { value_of(value_of(Database::open(file_, {}))->execute(sql)); }
  void make_empty_file() const { value_of(write_file_atomic(file_, "")); }
  [[nodiscard]] std::string bytes() const { return value_of(read_file(file_)); }
};

TEST_F(RegistryFile, IsMadeWithItsParentsForItsOwnerOnly) {
  const mode_t old = umask(0);
  const auto registry = open();
  umask(old);
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    struct stat info{};
    ASSERT_EQ(stat((file_.string() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 07777, 0600U) << suffix;
  }
}

TEST_F(RegistryFile, SaysWhoseItIs) {
  {
    const auto registry = open();
  }
  const auto database = value_of(Database::open(file_, {}));
  EXPECT_EQ(value_of(database->integer("PRAGMA application_id")), kApplicationId);
  EXPECT_EQ(value_of(database->integer("PRAGMA user_version")), migrations().size());
  EXPECT_EQ(value_of(database->text("PRAGMA journal_mode")), "wal");
  EXPECT_EQ(value_of(database->text("PRAGMA integrity_check")), "ok");
}

TEST_F(RegistryFile, OfANewerProgramIsLeftAlone) {
  {
    const auto registry = open();
  }
  execute("PRAGMA user_version = 7");
  const auto before = bytes();
  const auto refused = Registry::open(file_);
  EXPECT_THAT(refused, FailsWith(ErrorCode::unsupported, HasSubstr("its schema is version 7, this program knows 2")));
  EXPECT_THAT(Registry::open(file_, {.read_only = true}),
              FailsWith(ErrorCode::unsupported, HasSubstr("newer domsmith")));
  EXPECT_EQ(bytes(), before);
}

TEST_F(RegistryFile, OfAnotherProgramIsLeftAlone) {
  make_empty_file();
  execute("CREATE TABLE moz_places (url TEXT)");
  const auto before = bytes();
  EXPECT_THAT(Registry::open(file_), FailsWith(ErrorCode::failed, HasSubstr("is not a registry of domsmith")));
  EXPECT_EQ(bytes(), before);
}

TEST_F(RegistryFile, ThatIsNoDatabase) {
  value_of(write_file_atomic(file_, std::string(10'000, 'x')));
  const auto refused = Registry::open(file_);
  EXPECT_THAT(refused, FailsWith(ErrorCode::failed, HasSubstr("cannot")));
  EXPECT_THAT(refused.error().remedy, HasSubstr("sqlite3 OLD .recover | sqlite3 " + file_.string()));
}

TEST_F(RegistryFile, ThatIsDamaged) {
  {
    auto registry = open();
    add_image(registry);
    add_guests(registry, "web", 300);
  }
  auto damaged = bytes();
  for (std::size_t page = 1; page < damaged.size() / 4096; ++page) {
    damaged.replace(page * 4096, 64, 64, '\xff');
  }
  value_of(write_file_atomic(file_, damaged));
  auto registry = Registry::open(file_);
  const auto listed = registry ? registry->list_guests() : std::unexpected(registry.error());
  EXPECT_THAT(listed, FailsWith(ErrorCode::failed, HasSubstr("cannot")));
  EXPECT_THAT(listed.error().remedy, HasSubstr("put a backup of"));
}

TEST_F(RegistryFile, ThatIsAFolder) {
  std::filesystem::create_directories(file_);
  EXPECT_THAT(Registry::open(file_), FailsWith(ErrorCode::failed, HasSubstr("is no file")));
}

TEST_F(RegistryFile, StrangeNames) {
  file_ = directory_.path() / "a b?c#d%20e'\xc3\xa4" / "registry.sqlite";
  {
    auto registry = open();
    add_image(registry);
  }
  EXPECT_TRUE(std::filesystem::exists(file_));
  EXPECT_TRUE(open().find_image(kStore, "gold").has_value());
}

TEST_F(RegistryFile, ReadOnlyMakesNothing) {
  EXPECT_THAT(Registry::open(file_, {.read_only = true}), FailsWith(ErrorCode::not_found, HasSubstr("registry")));
  EXPECT_FALSE(std::filesystem::exists(file_.parent_path()));
  make_empty_file();
  EXPECT_THAT(Registry::open(file_, {.read_only = true}), FailsWith(ErrorCode::not_found, HasSubstr("is empty")));
  EXPECT_EQ(bytes(), "");
}

TEST_F(RegistryFile, ReadOnlyReadsAndWritesNothing) {
  {
    auto registry = open();
    add_image(registry);
  }
  auto reader = value_of(Registry::open(file_, {.read_only = true}));
  EXPECT_TRUE(reader.find_image(kStore, "gold").has_value());
  EXPECT_THAT(reader.drop_image(kStore, "gold"), FailsWith(ErrorCode::denied, HasSubstr("cannot write the registry")));
}

TEST_F(RegistryFile, AReaderSeesWhatAWriterWrote) {
  auto writer = open();
  add_image(writer);
  auto reader = value_of(Registry::open(file_, {.read_only = true}));
  EXPECT_TRUE(reader.find_guest("web").error().code == ErrorCode::not_found);
  add_guests(writer, "web", 1);
  EXPECT_TRUE(reader.find_guest("web").has_value());
}

constexpr std::array<std::string_view, 2> kTwoSteps{
    "CREATE TABLE one (a TEXT) STRICT; INSERT INTO one VALUES ('kept');",
    "ALTER TABLE one ADD COLUMN b TEXT NOT NULL DEFAULT 'new';"};

class Migration : public RegistryFile {
 protected:
  Migration() { make_empty_file(); }
  [[nodiscard]] std::unique_ptr<Database> database() const { return value_of(Database::open(file_, {})); }
};

TEST_F(Migration, StepByStep) {
  const auto old = database();
  value_of(migrate(*old, std::span(kTwoSteps).first(1)));
  EXPECT_THAT(check_schema(*old, kTwoSteps), FailsWith(ErrorCode::unsupported, HasSubstr("older domsmith")));
  value_of(migrate(*old, kTwoSteps));
  value_of(check_schema(*old, kTwoSteps));
  EXPECT_EQ(value_of(old->text("SELECT a || b FROM one")), "keptnew");
  EXPECT_EQ(value_of(old->integer("PRAGMA user_version")), 2);
}

TEST_F(Migration, AFailingStepChangesNothing) {
  const auto database = this->database();
  value_of(migrate(*database, std::span(kTwoSteps).first(1)));
  constexpr std::array<std::string_view, 3> kBroken{kTwoSteps[0], kTwoSteps[1], "CREATE TABLE one (again TEXT);"};
  EXPECT_THAT(migrate(*database, kBroken), FailsWith(ErrorCode::failed, "cannot bring the registry to version 3"));
  EXPECT_EQ(value_of(database->integer("PRAGMA user_version")), 1);
  EXPECT_EQ(value_of(database->integer("SELECT count(*) FROM pragma_table_info('one')")), 1);
}

}  // namespace
}  // namespace domsmith
