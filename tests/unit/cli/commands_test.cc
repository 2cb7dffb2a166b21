// The whole command line: what the manual and the completion say of it.
#include <gmock/gmock.h>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "iso/iso_commands.h"
#include "provision/cli/command.h"
#include "provision/cli/help.h"
#include "tests/unit/cli/captured.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

class CommandsTest : public testing::Test {
 protected:
  CommandsTest() {
    add_all_commands(cli_);
    add_iso_commands(cli_);
  }
  static std::vector<const CLI::App*> shown(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* verb) { return !verb->get_group().empty(); });
  }
  int run(std::vector<const char*> words) {
    words.insert(words.begin(), "domsmith");
    return cli_.run(static_cast<int>(words.size()), words.data());
  }

  Captured out_;
  Captured err_;
  CliContext cli_{"/nowhere/bin/domsmith", Output(out_.file(), err_.file())};
};

void expect_options_in(const std::string& manual, const CLI::App& app) {
  for (const CLI::Option* option :
       app.get_options([](const CLI::Option* each) { return !each->get_group().empty(); })) {
    for (const std::string& name : option->get_lnames()) {
      EXPECT_THAT(manual, HasSubstr("--" + name)) << "of " << full_name(app);
    }
  }
}

TEST_F(CommandsTest, AreAllInTheManual) {
  const Result<std::string> manual = read_file(DOMSMITH_SOURCE_DIR "/docs/cli.md");
  ASSERT_TRUE(manual) << manual.error().what;
  expect_options_in(*manual, cli_.top().app());
  for (const CLI::App* command : shown(cli_.top().app())) {
    for (const CLI::App* verb : shown(*command)) {
      EXPECT_THAT(*manual, HasSubstr(usage_line(*verb)));
      expect_options_in(*manual, *verb);
    }
    if (shown(*command).empty()) {
      EXPECT_THAT(*manual, HasSubstr(usage_line(*command)));
      expect_options_in(*manual, *command);
    }
  }
}

TEST_F(CommandsTest, SayWhatTheyAreFor) {
  for (const CLI::App* command : shown(cli_.top().app())) {
    EXPECT_FALSE(command->get_description().empty()) << full_name(*command);
    for (const CLI::App* verb : shown(*command)) {
      EXPECT_FALSE(verb->get_description().empty()) << full_name(*verb);
    }
  }
}

TEST_F(CommandsTest, PrintTheTablesOfTheManualOfRecipes) {
  ASSERT_EQ(run({"recipe", "schema", "--markdown"}), 0) << err_.text();
  const Result<std::string> manual = read_file(DOMSMITH_SOURCE_DIR "/docs/recipe.md");
  ASSERT_TRUE(manual) << manual.error().what;
  EXPECT_THAT(*manual, HasSubstr(out_.text()));
}

TEST_F(CommandsTest, AreCompleted) {
  ASSERT_EQ(run({"completion"}), 0) << err_.text();
  for (const CLI::App* command : shown(cli_.top().app())) {
    EXPECT_THAT(out_.text(), HasSubstr("'" + full_name(*command) + "')"));
  }
}

}  // namespace
}  // namespace domsmith
