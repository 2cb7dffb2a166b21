#include "provision/identity/openssh_key.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "provision/identity/secret_bytes.h"
#include "tests/unit/identity/identity_support.h"

namespace domsmith {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// The first vector of RFC 8032, 7.1.
constexpr const char* kSeed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr const char* kPublic = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

TEST(OpensshKey, PublicKeyOfTheRfcsSeed) {
  const auto blob = std::string("\0\0\0\x0bssh-ed25519\0\0\0\x20", 19);
  std::string key = blob;
  for (const auto byte : secret_of_hex(kPublic)) {
    key += std::to_integer<char>(byte);
  }
  EXPECT_EQ(openssh_public_key(secret_of_hex(kSeed), "root@web"),
            "ssh-ed25519 " + base64(std::as_bytes(std::span(key))) + " root@web");
}

TEST(OpensshKey, LooksLikeSshKeygens) {
  const auto text = openssh_private_key(secret_of_hex(kSeed), "root@web");
  EXPECT_THAT(text, StartsWith("-----BEGIN OPENSSH PRIVATE "
                               "KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW"));
  EXPECT_THAT(text, EndsWith("\n-----END OPENSSH PRIVATE KEY-----\n"));
  for (const auto& line : split_lines(text)) {
    EXPECT_LE(line.size(), 70U);
  }
  EXPECT_EQ(text, openssh_private_key(secret_of_hex(kSeed), "root@web"));
}

// ssh-keygen itself reads what we write, with comments of every length of padding.
TEST(OpensshKey, SshKeygenReadsIt) {
  const auto program = find_program("ssh-keygen");
  if (!program) {
    GTEST_SKIP() << "openssh-client is not installed";
  }
  const auto folder = value_of(TemporaryDirectory::make());
  const auto random = seeded_random(3);
  for (std::size_t length = 1; length <= 9; ++length) {
    std::array<std::byte, 32> seed{};
    random->fill(seed);
    const auto comment = std::string(length, 'c');
    const auto file = folder.path() / ("key-" + comment);
    value_of(write_file_atomic(file, openssh_private_key(seed, comment), 0600));
    const auto finished = value_of(
        run_checked({.argv = {*program, "-y", "-f", file.string()}, .environment = {}, .working_directory = {}}));
    EXPECT_EQ(trimmed(finished.out), openssh_public_key(seed, comment));
  }
}

// A signature made with the private file is good for the public one.
TEST(OpensshKey, SshKeygenSignsWithIt) {
  const auto program = find_program("ssh-keygen");
  if (!program) {
    GTEST_SKIP() << "openssh-client is not installed";
  }
  const auto folder = value_of(TemporaryDirectory::make());
  const auto path = [&](const char* name) { return (folder.path() / name).string(); };
  value_of(write_file_atomic(path("key"), openssh_private_key(secret_of_hex(kSeed), "root@web"), 0600));
  value_of(write_file_atomic(path("allowed"), "web " + openssh_public_key(secret_of_hex(kSeed), "root@web") + "\n"));
  value_of(write_file_atomic(path("text"), "hello\n"));
  value_of(run_checked({.argv = {*program, "-Y", "sign", "-f", path("key"), "-n", "file", path("text")},
                        .environment = {},
                        .working_directory = {}}));
  RunOptions options;
  options.input = "hello\n";
  const auto checked = value_of(run_checked(
      {.argv = {*program, "-Y", "verify", "-f", path("allowed"), "-I", "web", "-n", "file", "-s", path("text.sig")},
       .environment = {},
       .working_directory = {}},
      options));
  EXPECT_THAT(checked.out, HasSubstr("Good \"file\" signature for web"));
}

TEST(SecretBytes, ExpandIsStableAndLabelled) {
  EXPECT_EQ(expand_secret(kSeed, "a", 512), expand_secret(kSeed, "a", 512));
  EXPECT_EQ(expand_secret(kSeed, "a", 512).size(), 512U);
  EXPECT_EQ(expand_secret(kSeed, "a", 40), expand_secret(kSeed, "a", 512).substr(0, 40));
  EXPECT_NE(expand_secret(kSeed, "a", 512), expand_secret(kSeed, "b", 512));
  EXPECT_NE(expand_secret(kSeed, "a", 64).substr(0, 32), expand_secret(kSeed, "a", 64).substr(32));
}

}  // namespace
}  // namespace domsmith
