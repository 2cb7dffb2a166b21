// A noun or a verb of the command line and its options, without the parser's headers: CLI11 stands behind it (verb.cc),
// and a source that only declares verbs need not compile it.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace domsmith {

// One option or argument that a verb was given.
class VerbOption {
 public:
  explicit VerbOption(CLI::Option& option) : option_(&option) {}
  VerbOption& required();
  VerbOption& one_each();                      // of a vector: one word each time the option stands there, and no more
  VerbOption& takes(const std::string& word);  // what its value is called in the help; the option's own name otherwise
  VerbOption& range(unsigned least, unsigned most);  // usage error outside; both ends are allowed

 private:
  CLI::Option* option_;
};

// The variables live until the command line has been parsed and the verb has run.
class Verb {
 public:
  explicit Verb(CLI::App& app) : app_(&app) {}
  // NAME in capitals is an argument, "--name" or "--name,-n" an option; a vector takes any number of words.
  VerbOption add_option(const std::string& name, std::string& value, const std::string& what);
  VerbOption add_option(const std::string& name, std::vector<std::string>& values, const std::string& what);
  VerbOption add_option(const std::string& name, unsigned& value, const std::string& what);
  VerbOption add_flag(const std::string& name, bool& value, const std::string& what);
  void hide();                                           // it is not in the help
  [[nodiscard]] CLI::App& app() const { return *app_; }  // for the frame

 private:
  CLI::App* app_;
};

}  // namespace domsmith
