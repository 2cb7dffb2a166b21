// A small signed apt repository on disk, made on the spot with dpkg-deb(1) and gpg(1), and served by file:.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith::testing_apt {

// A key pair of its own; the folder is gpg's home.
class SigningKey {
 public:
  static Result<SigningKey> make(const std::filesystem::path& home);
  [[nodiscard]] Result<std::string> public_key(bool armored) const;
  // `file` with its signature around it (InRelease).
  [[nodiscard]] Result<void> sign(const std::filesystem::path& file, const std::filesystem::path& into) const;
  // gpg leaves an agent behind.
  ~SigningKey();
  SigningKey(SigningKey&& other) noexcept : home_(std::exchange(other.home_, {})) {}
  SigningKey& operator=(SigningKey&&) = delete;

 private:
  explicit SigningKey(std::filesystem::path home) : home_(std::move(home)) {}
  std::filesystem::path home_;
};

struct SmallPackage {
  std::string name, version;
  std::string more = {};  // further fields: "Essential: yes\n"
};

// A repository with one suite of this name, with the component main, for amd64. Each package holds
// /usr/share/NAME/version. key nullptr: nobody signs it.
Result<void> make_archive(const std::filesystem::path& folder, const std::string& suite,
                          const std::vector<SmallPackage>& packages, const SigningKey* key);

}  // namespace domsmith::testing_apt
