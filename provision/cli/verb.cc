#include "provision/cli/verb.h"

#include <CLI/CLI.hpp>

namespace domsmith {

VerbOption& VerbOption::required() {
  option_->required();
  return *this;
}

VerbOption& VerbOption::one_each() {
  option_->allow_extra_args(false);
  return *this;
}

VerbOption& VerbOption::takes(const std::string& word) {
  option_->type_name(word);
  return *this;
}

VerbOption& VerbOption::range(unsigned least, unsigned most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

VerbOption Verb::add_option(const std::string& name, std::string& value, const std::string& what) {
  return VerbOption(*app_->add_option(name, value, what));
}

VerbOption Verb::add_option(const std::string& name, std::vector<std::string>& values, const std::string& what) {
  return VerbOption(*app_->add_option(name, values, what));
}

VerbOption Verb::add_option(const std::string& name, unsigned& value, const std::string& what) {
  return VerbOption(*app_->add_option(name, value, what));
}

VerbOption Verb::add_flag(const std::string& name, bool& value, const std::string& what) {
  return VerbOption(*app_->add_flag(name, value, what));
}

void Verb::hide() { app_->group(""); }

}  // namespace domsmith
