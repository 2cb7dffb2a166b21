#include "tests/unit/engine/apt_archive.h"

#include <fmt/format.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"

namespace domsmith::testing_apt {
namespace {

Result<Finished> gpg(const std::filesystem::path& home, std::vector<std::string> arguments) {
  std::vector<std::string> argv{"/usr/bin/gpg", "--homedir", home.string(), "--batch", "--quiet", "--passphrase", ""};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_checked({.argv = std::move(argv), .environment = {}, .working_directory = {}});
}

// Makes the package in the pool; its paragraph of the Packages file.
Result<std::string> make_package(const std::filesystem::path& folder, const SmallPackage& package) {
  const std::string control = fmt::format(
      "Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
      "Description: a small package\n{}",
      package.name, package.version, package.more);
  const std::filesystem::path tree = folder / "tree";
  std::filesystem::remove_all(tree);
  TRY(make_directories(tree / "DEBIAN", 0755));
  TRY(make_directories(tree / "usr/share" / package.name, 0755));
  TRY(write_file_atomic(tree / "DEBIAN/control", control, 0644));
  TRY(write_file_atomic(tree / "usr/share" / package.name / "version", package.version + "\n", 0644));
  const std::string name = fmt::format("pool/{}_{}_all.deb", package.name, package.version);
  TRY(make_directories(folder / "pool", 0755));
  TRY(run_checked({.argv = {"/usr/bin/dpkg-deb", "--root-owner-group", "--build", tree.string(), folder / name},
                   .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
                   .working_directory = {}}));
  std::filesystem::remove_all(tree);
  const std::string bytes = TRY(read_file(folder / name, 1U << 20));
  return fmt::format("{}Filename: {}\nSize: {}\nSHA256: {}\n\n", control, name, bytes.size(), sha256_hex(bytes));
}

}  // namespace

Result<SigningKey> SigningKey::make(const std::filesystem::path& home) {
  TRY(make_directories(home, 0700));
  SigningKey key(home);
  TRY(gpg(home, {"--quick-generate-key", "packager@example.org", "ed25519", "sign", "never"}));
  return key;
}

SigningKey::~SigningKey() {
  if (!home_.empty()) {
    (void)run({.argv = {"/usr/bin/gpgconf", "--homedir", home_.string(), "--kill", "all"},
               .environment = {},
               .working_directory = {}});
  }
}

Result<std::string> SigningKey::public_key(bool armored) const {
  const std::filesystem::path file = home_ / (armored ? "public.asc" : "public.gpg");
  std::vector<std::string> arguments{"--yes", "--output", file.string(), "--export"};
  if (armored) {
    arguments.insert(arguments.begin(), "--armor");
  }
  TRY(gpg(home_, std::move(arguments)));
  return read_file(file, 1U << 20);
}

Result<void> SigningKey::sign(const std::filesystem::path& file, const std::filesystem::path& into) const {
  TRY(gpg(home_, {"--yes", "--output", into.string(), "--clearsign", file.string()}));
  return {};
}

Result<void> make_archive(const std::filesystem::path& folder, const std::string& suite,
                          const std::vector<SmallPackage>& packages, const SigningKey* key) {
  const std::filesystem::path dist = folder / "dists" / suite;
  const std::string list_name = "main/binary-amd64/Packages";
  TRY(make_directories(dist / "main/binary-amd64", 0755));
  std::string list;
  for (const SmallPackage& package : packages) {
    list += TRY(make_package(folder, package));
  }
  TRY(write_file_atomic(dist / list_name, list, 0644));
  // https://wiki.debian.org/DebianRepository/Format
  const std::string release = fmt::format(
      "Origin: example\nSuite: {0}\nCodename: {0}\nDate: Sun, 01 Nov 2026 10:00:00 UTC\n"
      "Architectures: amd64\nComponents: main\nSHA256:\n {1} {2} {3}\n",
      suite, sha256_hex(list), list.size(), list_name);
  TRY(write_file_atomic(dist / "Release", release, 0644));
  return key == nullptr ? Result<void>() : key->sign(dist / "Release", dist / "InRelease");
}

}  // namespace domsmith::testing_apt
