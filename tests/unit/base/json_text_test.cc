#include "base/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/journal.h"

namespace domsmith {
namespace {

TEST(JsonText, NamesThatAreNoUtf8AreNoReasonToThrow) {
  const nlohmann::json document{{"file", "caf\xe9.img"}};
  EXPECT_EQ(json_line(document), "{\"file\":\"caf\ufffd.img\"}");
  EXPECT_EQ(json_text(document), "{\n  \"file\": \"caf\ufffd.img\"\n}\n");
}

TEST(JsonText, TheJournalTakesThemToo) {
  const auto directory = TemporaryDirectory::make();
  ASSERT_TRUE(directory);
  const Journal journal(directory->path());
  auto operation = journal.begin("import", {{"from", "/srv/caf\xe9.img"}});
  ASSERT_TRUE(operation);
  EXPECT_TRUE(operation->record("copy", {{"file", "\xff"}}));
  EXPECT_TRUE(operation->finish());
}

}  // namespace
}  // namespace domsmith
