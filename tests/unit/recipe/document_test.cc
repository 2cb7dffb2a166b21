// Described documents, apart from recipes: values, defaults, places, cross checks, and input that means harm.
#include "imagebuild/recipe/document.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "base/error_text.h"
#include "imagebuild/recipe/parse.h"
#include "imagebuild/recipe/write.h"

namespace domsmith {
namespace {

Schema sample() {
  return {
      .title = "sample",
      .root = {.keys = {{.name = "schema", .type = ValueType::integer, .required = true, .minimum = 1}},
               .tables = {{.name = "disk",
                           .array = true,
                           .keys = {{.name = "size", .type = ValueType::size, .fallback = std::int64_t{1} << 30},
                                    {.name = "mode", .type = ValueType::mode},
                                    {.name = "tags", .type = ValueType::string_or_list},
                                    {.name = "note", .maximum = 5}},
                           .tables = {{.name = "part", .array = true, .keys = {{.name = "label"}}}}},
                          {.name = "net", .keys = {{.name = "up", .type = ValueType::boolean, .fallback = true}}}}}};
}

std::string errors_of(const Result<Document>& document) {
  return document ? std::string("no error") : error_text(document.error());
}

TEST(Document, HoldsValuesDefaultsAndPlaces) {
  const auto document = read_document(
      "schema = 3\n[[disk]]\nsize = \"3MiB\"\nmode = 0o640\ntags = \"x\"\n[[disk]]\n"
      "mode = \"0755\"\ntags = [\"a\",\n  \"b\"]\n[[disk.part]]\nlabel = \"l\"\n",
      "s.toml", sample());
  ASSERT_TRUE(document) << errors_of(document);
  const DocumentTable& root = document->root();
  EXPECT_EQ(root.integer("schema"), 3);
  ASSERT_EQ(root.tables("disk").size(), 2U);
  const DocumentTable& first = root.tables("disk")[0];
  EXPECT_EQ(first.integer("size"), 3 << 20);
  EXPECT_EQ(first.integer("mode"), 0640);
  EXPECT_EQ(first.strings("tags"), StringList{"x"});
  EXPECT_EQ(first.place().line, 2U);
  EXPECT_EQ(first.value_place("size").column, 8U);
  EXPECT_FALSE(first.has("note"));
  EXPECT_EQ(first.string("note"), "");
  const DocumentTable& second = root.tables("disk")[1];
  EXPECT_EQ(second.integer("size"), 1 << 30);
  EXPECT_TRUE(second.has("size"));
  EXPECT_FALSE(second.written("size"));
  EXPECT_EQ(second.element_place("tags", 1).line, 9U);
  ASSERT_EQ(second.tables("part").size(), 1U);
  EXPECT_EQ(second.tables("part")[0].string("label"), "l");
  EXPECT_TRUE(root.table("net").boolean("up"));
  const SourcePoint point = document->point(second.element_place("tags", 1), "here");
  EXPECT_EQ(point.text, "  \"b\"]");
  EXPECT_EQ(point.column, 3U);
  EXPECT_EQ(point.width, 3U);
}

TEST(Document, AskingForWhatTheSchemaLacksIsAFaultOfTheProgram) {
  const auto document = read_document("schema = 1", "s.toml", sample());
  ASSERT_TRUE(document) << errors_of(document);
  EXPECT_THROW((void)document->root().string("absent"), std::logic_error);
  EXPECT_THROW((void)document->root().string("schema"), std::logic_error);
  EXPECT_THROW((void)document->root().table("disk"), std::logic_error);
}

TEST(Document, RunsTheCrossCheckBehindWrongKeysToo) {
  Schema schema = sample();
  schema.check = [](const Document& document, Problems& problems) {
    for (const DocumentTable& disk : document.root().tables("disk")) {
      problems.add(disk.key_place("size"), fmt::format("size is {}", disk.has("size") ? "there" : "absent"));
    }
  };
  EXPECT_EQ(errors_of(read_document("[[disk]]\nnote = \"too long\"\nsize = true\n", "s.toml", schema)),
            "s.toml: error: 'schema' is missing\n"
            "s.toml:2:8: error: 'note' in [[disk]] is 8 bytes long\n"
            "    2 | note = \"too long\"\n"
            "      |        ^^^^^^^^^^ at most 5 bytes\n"
            "s.toml:3:1: error: size is absent\n"
            "    3 | size = true\n"
            "      | ^^^^\n"
            "s.toml:3:8: error: 'size' in [[disk]] is a boolean, not a size\n"
            "    3 | size = true\n"
            "      |        ^^^^\n");
}

TEST(Document, WritesWhatItReads) {
  const std::string text =
      "schema = 3\n\n[[disk]]\nsize = \"3MiB\"\nmode = \"0640\"\ntags = [\"x\"]\nnote = \"a\\u0001\\\"\"\n"
      "\n[[disk.part]]\nlabel = \"\"\"\none\n\ttwo\\\\\n\"\"\"\n\n[net]\nup = true\n";
  const auto document = read_document(text, "s.toml", sample());
  ASSERT_TRUE(document) << errors_of(document);
  EXPECT_EQ(toml_text(document->root(), sample()), text);
}

TEST(Document, ShowsAHundredErrorsAndCountsTheRest) {
  std::string text = "schema = 1\n";
  for (int i = 0; i < 20000; ++i) {
    text += fmt::format("key{} = {}\n", i, i);
  }
  const auto document = read_document(text, "s.toml", sample());
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().others.size(), 100U);
  EXPECT_EQ(document.error().others.back().what, "19900 more errors");
}

TEST(Document, RefusesAHugeTextUnread) {
  const std::string text(100U << 20, 'a');
  EXPECT_EQ(errors_of(read_document(text, "s.toml", sample())),
            "s.toml: error: the sample is too large: 104857600 bytes, the most is 1048576\n"
            "  remedy: keep long contents in files of their own\n");
}

// Each must end within the test's own time, and without exhausting the stack.
TEST(Document, SurvivesInputThatMeansHarm) {
  const auto repeated = [](std::string_view part, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) {
      text += part;
    }
    return text;
  };
  const std::string inputs[] = {
      repeated("a.", 300000) + "a = 1\n",
      "[" + repeated("a.", 300000) + "a]\n",
      "[" + repeated("\"a\" . ", 100000) + "a]\n",
      "x = " + repeated("[", 500000),
      "x = " + repeated("{a=", 200000),
      "x = [" + repeated("1,", 400000) + "]\n",
      "x = [" + repeated("\"é\",", 100000) + "]\n",
      "x = {" + repeated("é=1,", 100000),
      repeated("[[disk]]\n", 100000),
      repeated("[disk]\n", 100000),
      "x = \"" + std::string(1000000, 'y') + "\"\n",
      std::string(1000000, '"'),
      std::string(1000000, '\''),
      std::string(1000000, '\\'),
      std::string(1000000, '\n'),
      std::string(1000000, '\0'),
      repeated("\xff", 1000000),
      repeated("#\r", 100000),
      repeated("\"\"\"\\\n", 100000),
  };
  for (const std::string& input : inputs) {
    const auto document = read_document(input, "s.toml", sample());
    EXPECT_FALSE(document) << input.substr(0, 20);
    EXPECT_LT(error_text(document.error()).size(), 100000U) << input.substr(0, 20);
  }
}

// Whatever a few bytes of a good recipe are changed to: it is a recipe or it has errors, each in the file or of all of
// it.
TEST(Document, SurvivesChangedBytes) {
  const std::string good =
      "schema = 1\n[image]\nname = \"web\"\n[distribution]\nrelease = \"bookworm\"\n[packages]\ninstall = [\"nginx\", "
      "\"é\"]\n[system.services]\nenable = [\"x\"]\n[[user]]\nname = 'a'\nuid = 0x10\n[[file]]\npath = \"/a\"\n"
      "content = \"\"\"\nx\ny\"\"\"\nmode = 0o644\n[boot]\nmodules = [ { a.b = 1979-05-27 } ]\n";
  static constexpr std::string_view pool = "[]{}=.,\"'\\#\n\r\t abz019-_\xc3\xa9\x00\x7f:+";
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same inputs every time
  for (int round = 0; round < 5000; ++round) {
    std::string text = good;
    for (unsigned i = 0; i < 1 + random() % 4; ++i) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = pool[random() % pool.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 5);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 12));
      }
    }
    const auto recipe = parse_recipe(text, "r.toml");
    if (recipe) {
      continue;
    }
    std::vector<Error> all = recipe.error().others;
    all.push_back(recipe.error());
    for (const Error& error : all) {
      ASSERT_TRUE(error.where) << text << error.what;
      EXPECT_LE(error.where->column, error.where->text.size() + 1) << text << error_text(error);
      EXPECT_EQ(error.code, ErrorCode::bad_input);
    }
  }
}

}  // namespace
}  // namespace domsmith
