// apt's package lists ("Packages" files), cut down to what an installation can reach.
//
// apt reads, links and weighs every package of a release before it answers the smallest question: most of a second,
// each time. Of 60,000 packages an image can reach a few hundred. A list that holds just those gives the same answer in
// a twentieth of the time, for what cannot be reached by a dependency is never looked at by the solver.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace domsmith::engine {

// A paragraph of deb822(5) fields.
class Stanza {
 public:
  explicit Stanza(std::string_view text) : text_(text) {}
  [[nodiscard]] std::string_view text() const { return text_; }  // with its last newline, without the empty line
  // The value without the name and the blanks around it, continuation lines included; empty: no such field.
  [[nodiscard]] std::string_view field(std::string_view name) const;

 private:
  std::string_view text_;
};

// Calls `take` for each paragraph.
template <class Take>
void for_each_stanza(std::string_view text, Take&& take) {
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    const std::string_view piece = text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
    if (piece.find_first_not_of('\n') != std::string_view::npos) {
      take(Stanza(piece.substr(piece.find_first_not_of('\n'))));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
}

// The package names in a dependency field, of all alternatives: "a (>= 1) | b:any, c" -> a b c.
std::vector<std::string_view> names_in(std::string_view dependencies);

class PackageLists {
 public:
  // All files of apt's lists folder whose names end in "_Packages".
  static Result<PackageLists> read(const std::filesystem::path& folder);

  // The packages that an installation of `names` beside the essential and required ones can come upon.
  [[nodiscard]] std::set<std::string, std::less<>> reachable(const std::vector<std::string>& names,
                                                             bool recommends) const;
  // Files of the same names in `folder` that hold just these packages.
  Result<void> write(const std::filesystem::path& folder, const std::set<std::string, std::less<>>& packages) const;
  // `architecture` as the file has it: "all" too.
  [[nodiscard]] std::optional<Stanza> find(std::string_view name, std::string_view version,
                                           std::string_view architecture) const;

 private:
  struct List {
    std::string name;  // of its file
    std::string text;
  };
  std::vector<List> lists_;
  std::unordered_map<std::string_view, std::vector<Stanza>> packages_;
  std::unordered_map<std::string_view, std::vector<std::string_view>> providers_;  // virtual name -> packages
};

}  // namespace domsmith::engine
