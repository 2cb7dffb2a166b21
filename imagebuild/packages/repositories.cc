#include "imagebuild/packages/repositories.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/passwords.h"
#include "base/text.h"
#include "imagebuild/recipe/openpgp_key.h"

namespace domsmith::packages {
namespace {

std::string key_file(const RecipeRepository& repository) {
  return fmt::format("keyrings/{}.{}", repository.name, is_armored_key(repository.key_bytes) ? "asc" : "gpg");
}

// sources.list(5), DEB822-STYLE FORMAT
std::string sources_text(const RecipeRepository& repository, const std::string& folder) {
  std::string text = fmt::format("Types: deb\nURIs: {}\nSuites: {}\n", repository.url, repository.release);
  if (!repository.components.empty()) {
    text += fmt::format("Components: {}\n", join(repository.components, " "));
  }
  return text + (repository.is_unsigned ? std::string("Trusted: yes\n")
                                        : fmt::format("Signed-By: {}/{}\n", folder, key_file(repository)));
}

// apt_preferences(5)
std::string preferences_text(const std::vector<RecipePin>& pins) {
  std::string text;
  for (const RecipePin& pin : pins) {
    text += fmt::format("{}Package: {}\nPin: {}\nPin-Priority: {}\n", text.empty() ? "" : "\n", join(pin.packages, " "),
                        pin.pin, pin.priority);
  }
  return text;
}

// How apt complains of a Release file, the first of its words that tell which repository it means.
bool blames_signature(const std::string& line) {
  constexpr std::array<std::string_view, 4> words{"GPG error", "is not signed", "NO_PUBKEY", "Clearsigned file"};
  return std::ranges::any_of(words, [&](std::string_view word) { return line.contains(word); });
}

}  // namespace

std::vector<AptFile> apt_files(const std::vector<RecipeRepository>& repositories, const std::vector<RecipePin>& pins,
                               const std::string& folder) {
  std::vector<AptFile> files;
  for (const RecipeRepository& repository : repositories) {
    if (!repository.is_unsigned) {
      files.push_back({.path = key_file(repository), .bytes = repository.key_bytes});
    }
    files.push_back(
        {.path = fmt::format("sources.list.d/{}.sources", repository.name), .bytes = sources_text(repository, folder)});
  }
  if (!pins.empty()) {
    files.push_back({.path = "preferences.d/recipe.pref", .bytes = preferences_text(pins)});
  }
  return files;
}

std::string repository_text(const RecipeRepository& repository) {
  std::vector<std::string> words{"deb", hide_passwords(repository.url), repository.release};
  words.insert(words.end(), repository.components.begin(), repository.components.end());
  return fmt::format(
      "{} ('{}', {})", join(words, " "), repository.name,
      repository.is_unsigned ? "UNSIGNED: nobody vouches for its packages" : "signed with " + repository.key);
}

std::string pin_text(const RecipePin& pin) {
  return fmt::format("{}: {}, priority {}", join(pin.packages, " "), pin.pin, pin.priority);
}

std::optional<Error> signature_error(const std::vector<RecipeRepository>& repositories,
                                     const std::vector<std::string>& lines) {
  for (const RecipeRepository& repository : repositories) {
    const std::string url =
        trimmed(std::string_view(repository.url).substr(0, repository.url.find_last_not_of('/') + 1));
    const std::string shown = hide_passwords(url);
    const bool blamed = std::ranges::any_of(lines, [&](const std::string& line) {
      return blames_signature(line) && (line.contains(url) || line.contains(shown));
    });
    if (blamed && !repository.is_unsigned) {
      Error error;
      error.code = ErrorCode::bad_input;
      error.what = fmt::format("the repository '{}' is not signed with the key {}", repository.name, repository.key);
      error.remedy = fmt::format("put the key that signs {} into {}", shown, repository.key);
      return error;
    }
  }
  return std::nullopt;
}

}  // namespace domsmith::packages
