#include "provision/cli/command.h"

#include <gmock/gmock.h>

#include "provision/cli/help.h"
#include "tests/unit/cli/captured.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CommandTest : public testing::Test {
 protected:
  CommandTest() {
    Verb guest = cli_.noun("guest", "running domains");
    Verb start = cli_.verb(guest, "start", "start guests", [this] { return note("start"); }, VerbKind::changes);
    start.add_option("NAME", names_, "which").required();
    cli_.verb(guest, "list", "show guests", [this] { return note("list"); });
    Verb clone = cli_.verb(cli_.top(), "clone", "make guests", [this] { return note("clone"); }, VerbKind::changes);
    clone.add_option("IMAGE", image_, "of what").required();
    clone.add_option("--name", name_, "how they are called").required();
    clone.add_option("--count", count_, "how many").range(1, 100);
    cli_.verb(cli_.top(), "fail", "fails", [] { return Result<void>(fail(ErrorCode::failed, "it broke")); });
  }
  Result<void> note(const std::string& what) {
    ran_.push_back(what);
    return {};
  }
  int run(std::vector<const char*> words) {
    words.insert(words.begin(), "domsmith");
    return cli_.run(static_cast<int>(words.size()), words.data());
  }

  Captured out_;
  Captured err_;
  CliContext cli_{"/nowhere/bin/domsmith", Output(out_.file(), err_.file())};
  std::vector<std::string> ran_;
  std::vector<std::string> names_;
  std::string image_, name_;
  unsigned count_ = 1;
};

TEST_F(CommandTest, RunsTheVerbWithItsOptions) {
  EXPECT_EQ(run({"clone", "debian", "--name", "web", "--count=3"}), 0) << err_.text();
  EXPECT_THAT(ran_, ElementsAre("clone"));
  EXPECT_EQ(image_, "debian");
  EXPECT_EQ(count_, 3U);
}

TEST_F(CommandTest, TakesGlobalOptionsBeforeAndBehindTheVerb) {
  EXPECT_EQ(run({"--store", "dir:/a", "guest", "list", "--root", "/r", "--json"}), 0) << err_.text();
  EXPECT_EQ(cli_.options().store, "dir:/a");
  EXPECT_EQ(cli_.paths().root, "/r");
  EXPECT_TRUE(cli_.output().json());
}

TEST_F(CommandTest, TakesNamesThatAreAlsoCommands) {
  EXPECT_EQ(run({"guest", "start", "clone", "list", "guest"}), 0) << err_.text();
  EXPECT_THAT(names_, ElementsAre("clone", "list", "guest"));
  EXPECT_THAT(ran_, ElementsAre("start"));
}

TEST_F(CommandTest, SuggestsTheCommandThatWasMeant) {
  EXPECT_EQ(run({"clnoe", "debian"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("unknown command 'clnoe'"));
  EXPECT_THAT(err_.text(), HasSubstr("did you mean 'domsmith clone'?"));
}

TEST_F(CommandTest, SuggestsTheVerbThatWasMeant) {
  EXPECT_EQ(run({"guest", "strat", "web"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("did you mean 'domsmith guest start'?"));
}

TEST_F(CommandTest, KnowsTheNounOfAVerb) {
  EXPECT_EQ(run({"start", "web"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("did you mean 'domsmith guest start'?"));
}

TEST_F(CommandTest, SuggestsTheOptionThatWasMeantBeforeItMissesAnother) {
  EXPECT_EQ(run({"clone", "debian", "--nmae", "web"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("unknown option '--nmae' of 'domsmith clone'"));
  EXPECT_THAT(err_.text(), HasSubstr("did you mean '--name'?"));
}

TEST_F(CommandTest, SaysWhatIsMissing) {
  EXPECT_EQ(run({"clone", "debian"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("--name is missing"));
  EXPECT_THAT(err_.text(), HasSubstr("domsmith clone IMAGE --name NAME"));
  EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(CommandTest, SaysWhichValueIsBad) {
  EXPECT_EQ(run({"clone", "debian", "--name", "web", "--count", "many"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("bad value 'many' for --count"));
  EXPECT_EQ(run({"guest", "list", "--progress", "loud"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("bad value 'loud' for --progress"));
}

TEST_F(CommandTest, NeedsAVerbForANoun) {
  EXPECT_EQ(run({"guest"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("'domsmith guest' needs a verb"));
  EXPECT_THAT(err_.text(), HasSubstr("start, list"));
}

TEST_F(CommandTest, RefusesOneWordTooMany) {
  EXPECT_EQ(run({"guest", "list", "web"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("does not know what to do with 'web'"));
}

TEST_F(CommandTest, TellsUsageErrorsInJsonToo) {
  EXPECT_EQ(run({"guest", "--json"}), 2);
  EXPECT_TRUE(nlohmann::json::parse(out_.text()).contains("error"));
}

TEST_F(CommandTest, ExitsWithOneWhenTheVerbFails) {
  EXPECT_EQ(run({"fail"}), 1);
  EXPECT_THAT(err_.text(), HasSubstr("it broke"));
}

TEST_F(CommandTest, RecoversBeforeItChangesSomethingUnlessItOnlyPlans) {
  cli_.set_recovery([this] { return note("recovery"); });
  EXPECT_EQ(run({"guest", "list"}), 0);
  EXPECT_THAT(ran_, ElementsAre("list"));
  EXPECT_EQ(run({"guest", "start", "web"}), 0);
  EXPECT_THAT(ran_, ElementsAre("list", "recovery", "start"));
  ran_.clear();
  EXPECT_EQ(run({"guest", "start", "web", "--plan"}), 0);
  EXPECT_THAT(ran_, ElementsAre("start"));
}

TEST_F(CommandTest, WantsAStore) {
  const auto spec = cli_.store_spec();
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().code, ErrorCode::bad_input);
  EXPECT_THAT(spec.error().remedy, HasSubstr("--store"));
}

TEST_F(CommandTest, ShowsHelpOfTheProgramAndOfItsVerbs) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("usage: domsmith COMMAND"));
  EXPECT_THAT(out_.text(), HasSubstr("--store STORE"));
  EXPECT_EQ(run({"clone", "--help"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("usage: domsmith clone IMAGE --name NAME [options]"));
  EXPECT_THAT(out_.text(), HasSubstr("--plan"));
  EXPECT_THAT(out_.text(), HasSubstr("--count N "));
  EXPECT_THAT(ran_, IsEmpty());
}

TEST_F(CommandTest, FoldsHelpToTheTerminal) {
  for (const unsigned columns : {1U, 20U, 40U, 80U, 200U}) {
    const std::string text = help_text(cli_.top().app(), {.columns = columns});
    std::size_t widest = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      widest = std::max(widest, display_width(text.substr(at, end - at)));
      at = end + 1;
    }
    if (columns >= 40) {
      EXPECT_LE(widest, columns);
    }
  }
}

}  // namespace
}  // namespace domsmith
