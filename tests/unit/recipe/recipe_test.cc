// Recipes: defaults, sources, what is shown, and the shipped ones.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>

#include "base/error_text.h"
#include "base/file.h"
#include "imagebuild/recipe/host.h"
#include "imagebuild/recipe/parse.h"
#include "imagebuild/recipe/show.h"

namespace domsmith {
namespace {

const std::filesystem::path source_folder = DOMSMITH_SOURCE_DIR;
constexpr std::string_view least = "[image]\nname = \"web\"\n[distribution]\nrelease = \"bookworm\"\n";

std::string errors_of(const Result<Recipe>& recipe) {
  return recipe ? std::string("no error") : error_text(recipe.error());
}

TEST(Recipe, FillsInTheDefaults) {
  const auto recipe = parse_recipe(least, "web.toml");
  ASSERT_TRUE(recipe) << errors_of(recipe);
  Recipe expected;
  expected.file = "web.toml";
  expected.image.name = "web";
  expected.image.architecture = host_architecture();
  expected.distribution.release = "bookworm";
  expected.system.hostname = "web";
  expected.boot.kernel = recipe->boot.kernel;  // depends on the host's architecture
  EXPECT_EQ(*recipe, expected);
  EXPECT_TRUE(recipe->boot.kernel.starts_with("linux-image-"));
}

TEST(Recipe, TakesTheDistributionsKernel) {
  const auto kernel = [](std::string_view distribution, std::string_view architecture) {
    const auto recipe = parse_recipe(fmt::format("[image]\nname = \"a\"\narchitecture = \"{}\"\n[distribution]\nname = "
                                                 "\"{}\"\nrelease = \"x\"\n",
                                                 architecture, distribution),
                                     "a.toml");
    return recipe ? recipe->boot.kernel : errors_of(recipe);
  };
  EXPECT_EQ(kernel("debian", "amd64"), "linux-image-cloud-amd64");
  EXPECT_EQ(kernel("devuan", "amd64"), "linux-image-cloud-amd64");
  EXPECT_EQ(kernel("debian", "arm64"), "linux-image-arm64");
  EXPECT_EQ(kernel("debian", "i386"), "linux-image-686-pae");
  EXPECT_EQ(kernel("devuan", "armhf"), "linux-image-armmp");
  EXPECT_EQ(kernel("ubuntu", "amd64"), "linux-image-virtual");
}

TEST(Recipe, TakesTheHostsReleaseForTheHostsDistribution) {
  const HostRelease host = host_release();
  if (host.id != "debian" || host.codename.empty()) {
    GTEST_SKIP() << "this host runs no release of Debian";
  }
  const auto recipe = parse_recipe("[image]\nname = \"web\"\n", "web.toml");
  ASSERT_TRUE(recipe) << errors_of(recipe);
  EXPECT_EQ(recipe->distribution.release, host.codename);
}

TEST(Recipe, ReadsOsRelease) {
  const HostRelease release =
      parse_os_release("# c\nNAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_CODENAME='trixie'\n");
  EXPECT_EQ(release.id, "debian");
  EXPECT_EQ(release.codename, "trixie");
  EXPECT_EQ(parse_os_release("").id, "");
}

class RecipeSources : public testing::Test {
 protected:
  void SetUp() override {
    auto made = TemporaryDirectory::make();
    ASSERT_TRUE(made);
    folder_.emplace(std::move(*made));
    ASSERT_TRUE(make_directories(path("recipes/files")));
    ASSERT_TRUE(write_file_atomic(path("recipes/files/motd"), "hello\n"));
    ASSERT_TRUE(write_file_atomic(path("secret"), "secret\n"));
  }
  [[nodiscard]] std::filesystem::path path(std::string_view relative) const { return folder_->path() / relative; }
  [[nodiscard]] Result<Recipe> with_source(std::string_view source) const {
    return parse_recipe(fmt::format("{}[[file]]\npath = \"/x\"\nsource = \"{}\"\n", least, source),
                        path("recipes/web.toml"));
  }
  [[nodiscard]] std::string reason(std::string_view source) const {
    const auto recipe = with_source(source);
    return recipe ? "it was read" : recipe.error().where->hint;
  }
  std::optional<TemporaryDirectory> folder_;
};

TEST_F(RecipeSources, AreReadFromTheRecipesFolder) {
  const auto recipe = with_source("files/motd");
  ASSERT_TRUE(recipe) << errors_of(recipe);
  ASSERT_EQ(recipe->files.size(), 1U);
  EXPECT_EQ(recipe->files[0].bytes, "hello\n");
  EXPECT_EQ(recipe->files[0].source, "files/motd");
}

TEST_F(RecipeSources, NeverLeadOutOfIt) {
  std::filesystem::create_symlink("../../secret", path("recipes/files/out"));
  std::filesystem::create_symlink("/etc", path("recipes/files/etc"));
  std::filesystem::create_symlink("motd", path("recipes/files/inside"));
  EXPECT_EQ(reason("files/out"), "a symbolic link leads out of the recipe's folder");
  EXPECT_EQ(reason("files/etc/passwd"), "a symbolic link leads out of the recipe's folder");
  EXPECT_EQ(reason("files/inside"), "it was read");
  EXPECT_EQ(reason("../secret"), "a file in the recipe's folder, without '//', '.' or '..'");
  EXPECT_EQ(reason("/etc/passwd"), "a path relative to the recipe's folder");
}

// Kernels before 5.6 and some containers have no openat2(2).
void forbid_openat2() {
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{.len = std::size(code), .filter = code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::exit(77);
  }
}

TEST_F(RecipeSources, NeverLeadOutOfItWithoutOpenat2) {
  std::filesystem::create_symlink("../../secret", path("recipes/files/out"));
  std::filesystem::create_symlink("/etc", path("recipes/files/etc"));
  const auto check = [&] {
    forbid_openat2();
    const bool right = reason("files/motd") == "it was read" &&
                       reason("files/out") == "it is a symbolic link that cannot be followed" &&
                       reason("files/etc/passwd") == "there is no such file" &&
                       reason("files/absent") == "there is no such file";
    std::exit(right ? 0 : 1);
  };
  EXPECT_EXIT(check(), testing::ExitedWithCode(0), "");
}

TEST_F(RecipeSources, AreRegularFilesOfALimitedSize) {
  ASSERT_EQ(mkfifo(path("recipes/files/fifo").c_str(), 0600), 0);
  ASSERT_TRUE(write_file_atomic(path("recipes/files/large"), ""));
  std::filesystem::resize_file(path("recipes/files/large"), (16U << 20) + 1);
  EXPECT_EQ(reason("files"), "it is a folder, not a file");
  EXPECT_EQ(reason("files/fifo"), "it is no regular file");
  EXPECT_EQ(reason("files/large"), "it is larger than 16.0 MiB");
  EXPECT_EQ(reason("files/absent"), "there is no such file");
  EXPECT_EQ(reason("files/motd/x"), "there is no such file");
}

TEST_F(RecipeSources, HaveALimitTogether) {
  ASSERT_TRUE(write_file_atomic(path("recipes/files/large"), ""));
  std::filesystem::resize_file(path("recipes/files/large"), 16U << 20);
  std::string text(least);
  for (int i = 0; i < 5; ++i) {
    text += fmt::format("[[file]]\npath = \"/x{}\"\nsource = \"files/large\"\n", i);
  }
  const auto recipe = parse_recipe(text, path("recipes/web.toml"));
  ASSERT_FALSE(recipe);
  EXPECT_TRUE(recipe.error().others.empty());
  EXPECT_EQ(recipe.error().where->hint, "all files together are larger than 64.0 MiB");
}

TEST(Recipe, NoSuchRecipe) {
  const auto recipe = load_recipe("/nonexistent/web.toml");
  ASSERT_FALSE(recipe);
  EXPECT_EQ(recipe.error().what, "cannot read the recipe /nonexistent/web.toml");
}

// Random recipes, with every awkward byte that TOML can hold.
class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  std::string text() {
    static constexpr const char* pieces[] = {"a", "\"", "\\",   "\n",   "\t", "'",    "\"\"\"", "é",
                                             "#", "=",  "\x01", "\r\n", " ",  "\x7f", "𝄞",      "]"};
    std::string out;
    for (unsigned i = 0; i < random_() % 12; ++i) {
      out += pieces[random_() % std::size(pieces)];
    }
    return out;
  }
  StringList some(std::initializer_list<std::string> from) {
    StringList out;
    for (const std::string& one : from) {
      if (random_() % 2 == 0) {
        out.push_back(one);
      }
    }
    return out;
  }
  std::string one(std::initializer_list<std::string> from) { return from.begin()[random_() % from.size()]; }
  unsigned number(unsigned below) { return static_cast<unsigned>(random_() % below); }

  Recipe recipe() {
    Recipe made;
    made.file = "random.toml";
    made.image = {
        .name = one({"web", "a", "x-1"}), .version = one({"1", "2.0~rc1"}), .architecture = one({"amd64", "arm64"})};
    made.distribution = {.name = one({"debian", "ubuntu"}),
                         .release = one({"bookworm", "sid"}),
                         .components = {"main"},
                         .mirrors = some({"https://deb.debian.org/debian", "deb [trusted=yes] file:///srv/x ./ main"})};
    made.packages = {.install = some({"nginx", "g++", "libc6:amd64", "curl=7.88.1-10+deb12u5", "vim/sid"}),
                     .remove = some({"tzdata"}),
                     .recommends = number(2) == 1};
    made.filesystem = {.type = "ext4", .size = (64ULL + number(100000)) << 20, .label = one({"root", "a.b_c-d"})};
    made.system = {.hostname = one({"web", "a.example.org"}),
                   .timezone = one({"Etc/UTC", "America/Argentina/Buenos_Aires"}),
                   .locale = one({"C.UTF-8", "sr_RS.UTF-8@latin"}),
                   .root_password = one({"locked", "$y$j9T$abcdefghijklmnop$0123456789"}),
                   .services_enable = some({"ssh.service", "getty@tty1.service"}),
                   .services_disable = some({"a.service"}),
                   .services_mask = some({"dev-disk-by\\x2duuid.swap"})};
    for (unsigned i = 0; i < number(3); ++i) {
      made.users.push_back({.name = fmt::format("user{}", i),
                            .uid = number(2) == 0 ? std::nullopt : std::optional<std::uint32_t>(1000 + i),
                            .groups = some({"adm", "sudo"}),
                            .shell = "/bin/sh",
                            .home = "/srv/x",
                            .password = "locked",
                            .ssh_keys = some({"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 a \"b\""}),
                            .system = number(2) == 0});
    }
    for (unsigned i = 0; i < number(4); ++i) {
      made.files.push_back({.path = fmt::format("/etc/f{} \"é", i),
                            .bytes = text(),
                            .source = {},
                            .mode = number(010000),
                            .owner = one({"root", "33"}),
                            .group = "root"});
    }
    for (unsigned i = 0; i < number(4); ++i) {
      made.scripts.push_back({.phase = static_cast<RecipeScript::Phase>(number(4)),
                              .bytes = "#!/bin/sh\n" + text(),
                              .name = fmt::format("script {}", i + 1),
                              .source = {}});
    }
    made.boot = {.kernel = one({"none", "linux-image-amd64"}),
                 .cmdline = one({"", "root=LABEL=x ro"}),
                 .modules = some({"btrfs"})};
    return made;
  }

 private:
  std::mt19937 random_;
};

TEST(RecipeText, ParsesBackToTheSameRecipe) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    const Recipe recipe = Maker(seed).recipe();
    const std::string text = recipe_text(recipe);
    const auto again = parse_recipe(text, recipe.file);
    ASSERT_TRUE(again) << text << errors_of(again);
    ASSERT_EQ(*again, recipe) << text;
  }
}

TEST(RecipeText, OfAShippedRecipeParsesBack) {
  for (const char* name : {"debian-minimal.toml", "debian-ssh.toml", "debian-web.toml", "ubuntu-minimal.toml"}) {
    const auto recipe = load_recipe(source_folder / "rootfs-recipes" / name);
    ASSERT_TRUE(recipe) << errors_of(recipe);
    const auto again = parse_recipe(recipe_text(*recipe), recipe->file);
    ASSERT_TRUE(again) << errors_of(again);
    EXPECT_EQ(*again, *recipe);
  }
}

TEST(RecipeHash, KnowsWhatTheFilesHold) {
  const auto folder = TemporaryDirectory::make();
  ASSERT_TRUE(folder);
  const std::string text =
      "[image]\nname = \"a\"\n[distribution]\nrelease = \"bookworm\"\n"
      "[[file]]\npath = \"/etc/x\"\nsource = \"file\"\n[[script]]\nsource = \"script\"\n"
      "[[tree]]\npath = \"/srv\"\nsource = \"tree\"\n"
      "[[repository]]\nname = \"r\"\nurl = \"https://r.example\"\nrelease = \"x\"\nkey = \"key\"\n";
  const std::map<std::string, std::string> holds{{"file", "one"},
                                                 {"script", "#!/bin/sh\n"},
                                                 {"tree/below", "one"},
                                                 {"key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"}};
  const auto hash = [&] {
    const auto recipe = parse_recipe(text, folder->path() / "recipe.toml");
    EXPECT_TRUE(recipe) << errors_of(recipe);
    return recipe ? recipe_sha256(*recipe) : std::string();
  };
  for (const auto& [name, bytes] : holds) {
    ASSERT_TRUE(write_file_atomic(folder->path() / name, bytes));
  }
  const std::string before = hash();
  EXPECT_EQ(hash(), before);
  for (const auto& [name, bytes] : holds) {
    ASSERT_TRUE(write_file_atomic(folder->path() / name, bytes + "more"));
    EXPECT_NE(hash(), before) << name;
    ASSERT_TRUE(write_file_atomic(folder->path() / name, bytes));
  }
}

TEST(RecipeJson, HoldsEveryTable) {
  const auto recipe = parse_recipe(std::string(least) + "[[file]]\npath = \"/a\"\ncontent = \"x\"\n", "web.toml");
  ASSERT_TRUE(recipe) << errors_of(recipe);
  const nlohmann::json json = recipe_json(*recipe);
  EXPECT_EQ(json["image"]["name"], "web");
  EXPECT_EQ(json["filesystem"]["size"], 2147483648);
  EXPECT_EQ(json["file"][0]["mode"], 0644);
  EXPECT_EQ(json["system"]["services"]["mask"], nlohmann::json::array());
  EXPECT_EQ(json["user"], nlohmann::json::array());
}

TEST(ShippedRecipes, AreRight) {
  int count = 0;
  for (const char* folder : {"rootfs-recipes", "hypervisor"}) {
    for (const auto& entry : std::filesystem::directory_iterator(source_folder / folder)) {
      // A build writes NAME.lock.toml beside the recipe.
      if (is_named_as_recipe(entry.path())) {
        const auto recipe = load_recipe(entry.path());
        EXPECT_TRUE(recipe) << errors_of(recipe);
        ++count;
      }
    }
  }
  EXPECT_GE(count, 3);
}

// The description itself: every key has a line of text and an example, and what the parser takes the JSON Schema takes.
void check_description(const TableSchema& table) {
  for (const KeySchema& key : table.keys) {
    EXPECT_FALSE(key.doc.empty()) << key.name;
    EXPECT_FALSE(key.example.empty()) << key.name;
    const auto* text = key.fallback ? std::get_if<std::string>(&*key.fallback) : nullptr;
    if (text != nullptr && !key.pattern.empty()) {
      EXPECT_TRUE(std::regex_search(*text, std::regex(key.pattern))) << key.name;
    }
    if (text != nullptr && key.check) {
      EXPECT_FALSE(key.check(*text)) << key.name;
    }
  }
  for (const TableSchema& inner : table.tables) {
    EXPECT_FALSE(inner.doc.empty()) << inner.name;
    check_description(inner);
  }
}
TEST(RecipeSchema, DescribesEveryKey) { check_description(recipe_schema().root); }

void add_examples(const TableSchema& table, const std::string& path, std::string& out) {
  if (!path.empty() && !table.profiles) {
    out += fmt::format(fmt::runtime(table.array ? "[[{}]]\n" : "[{}]\n"), path);
  }
  if (table.free_key) {
    out += table.free_key->example + "\n";
  }
  for (const KeySchema& key : table.keys) {
    const bool other_of_two = (key.name == "source" && path != "tree") ||
                              (path == "system.services" && key.name == "disable") ||
                              (path == "repository" && key.name == "unsigned");
    out += other_of_two ? std::string{} : fmt::format("{} = {}\n", key.name, key.example);
  }
  for (const TableSchema& inner : table.tables) {
    if (inner.name != "source") {
      add_examples(inner, path.empty() ? inner.name : path + "." + inner.name, out);
    }
  }
}

// A folder with what the examples name.
TemporaryDirectory folder_of_examples() {
  auto folder = TemporaryDirectory::make();
  EXPECT_TRUE(folder);
  for (const char* name : {"files/packages.asc", "rootfs.tar.xz", "server.qcow2"}) {
    EXPECT_TRUE(write_file_atomic(folder->path() / name, "x"));
  }
  EXPECT_TRUE(write_file_atomic(folder->path() / "files/ledger.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"));
  EXPECT_TRUE(write_file_atomic(folder->path() / "common/base.toml", "[system]\n"));
  return std::move(*folder);
}

TEST(RecipeSchema, ItsExamplesMakeARecipe) {
  const TemporaryDirectory folder = folder_of_examples();
  std::string text;
  add_examples(recipe_schema().root, {}, text);
  const auto recipe = parse_recipe(text, folder.path() / "examples.toml");
  EXPECT_TRUE(recipe) << text << errors_of(recipe);
}

TEST(RecipeSchema, ItsExamplesOfSourcesMakeRecipes) {
  const TemporaryDirectory folder = folder_of_examples();
  const TableSchema& source = *find_table(recipe_schema().root, "source");
  const auto with = [&](std::initializer_list<const char*> keys) {
    std::string text = "[image]\nname = \"a\"\n[source]\n";
    for (const char* key : keys) {
      text += fmt::format("{} = {}\n", key, find_key(source, key)->example);
    }
    if (text.contains("\nrpm") || text.contains("\npacman")) {
      text += "[packages]\ninstall = [\"bash\"]\n";
    }
    const auto recipe = parse_recipe(text, folder.path() / "examples.toml");
    EXPECT_TRUE(recipe) << text << errors_of(recipe);
    if (recipe) {
      const auto again = parse_recipe(recipe_text(*recipe), recipe->file);
      EXPECT_TRUE(again) << errors_of(again);
      EXPECT_EQ(*again, *recipe);
    }
  };
  with({"tar", "sha256"});
  with({"oci"});
  with({"disk", "format"});
  with({"rpm", "release", "keys"});
  with({"pacman", "unsigned"});
}

TEST(RecipeSchema, IsDraft202012) {
  const nlohmann::json schema = recipe_json_schema();
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["required"], nlohmann::json{"image"});
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["properties"]["image"]["required"], nlohmann::json{"name"});
  EXPECT_EQ(schema["properties"]["user"]["type"], "array");
  EXPECT_EQ(schema["properties"]["filesystem"]["properties"]["size"]["anyOf"][0]["multipleOf"], 1 << 20);
}

}  // namespace
}  // namespace domsmith
