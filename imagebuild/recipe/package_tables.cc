#include "imagebuild/recipe/package_tables.h"

#include "imagebuild/recipe/checks.h"

namespace domsmith {

TableSchema distribution_table() {
  return {.name = "distribution",
          .doc = "Where the packages come from.",
          .keys = {{.name = "name",
                    .doc = "the distribution",
                    .fallback = "debian",
                    .example = "\"debian\"",
                    .choices = {"debian", "ubuntu", "devuan"}},
                   {.name = "release",
                    .doc = "its codename",
                    .default_text = "the host's, where the host runs this distribution",
                    .example = "\"bookworm\"",
                    .pattern = "^[a-z0-9][a-z0-9._-]{0,63}$",
                    .check = spelling::suite},
                   {.name = "components",
                    .type = ValueType::string_list,
                    .doc = "the archive's components",
                    .fallback = StringList{"main"},
                    .example = "[\"main\", \"non-free-firmware\"]",
                    .minimum = 1,
                    .pattern = "^[a-z0-9][a-z0-9._-]{0,63}$",
                    .check = spelling::component},
                   {.name = "mirror",
                    .type = ValueType::string_or_list,
                    .doc = "URLs, or whole lines of sources.list(5)",
                    .fallback = StringList{},
                    .default_text = "the host's own apt sources; Ubuntu and Devuan on another host: their own",
                    .example = "\"https://deb.debian.org/debian\"",
                    .check = spelling::mirror}}};
}

TableSchema repository_table() {
  return {.name = "repository",
          .doc =
              "A further apt repository, for the build and in the image. See "
              "[Further repositories and pins](#further-repositories-and-pins).",
          .array = true,
          .keys = {{.name = "name",
                    .doc = "the name of its files below /etc/apt in the image",
                    .required = true,
                    .example = "\"ledger\"",
                    .pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
                    .check = spelling::object_name},
                   {.name = "url",
                    .doc = "where it is",
                    .required = true,
                    .example = "\"https://packages.example/debian\"",
                    .check = spelling::url},
                   {.name = "release",
                    .doc = "its release (suite); one that ends with '/' is a folder without components",
                    .required = true,
                    .example = "\"bookworm\"",
                    .pattern = "^[A-Za-z0-9.][A-Za-z0-9._/-]{0,127}$",
                    .check = spelling::repository_release},
                   {.name = "components",
                    .type = ValueType::string_list,
                    .doc = "its components",
                    .default_text = "`[\"main\"]`; none for a folder",
                    .example = "[\"stable\"]",
                    .minimum = 1,
                    .check = spelling::component},
                   {.name = "key",
                    .doc = "a file in the recipe's folder with its OpenPGP key, armored or not",
                    .example = "\"files/ledger.asc\"",
                    .check = spelling::source_path},
                   {.name = "unsigned",
                    .type = ValueType::boolean,
                    .doc = "take packages that nobody signed",
                    .fallback = false,
                    .example = "true"}},
          .identity = "name"};
}

TableSchema pin_table() {
  return {.name = "pin",
          .doc = "Which versions apt prefers, in the build and in the image: apt_preferences(5).",
          .array = true,
          .keys = {{.name = "package",
                    .type = ValueType::string_or_list,
                    .doc = "the packages, patterns too",
                    .required = true,
                    .example = "\"nginx*\"",
                    .minimum = 1,
                    .check = spelling::pinned},
                   {.name = "pin",
                    .doc = "which of their versions: `version …`, `release …` or `origin …`",
                    .required = true,
                    .example = "\"release n=bookworm-backports\"",
                    .check = spelling::pin},
                   {.name = "priority",
                    .type = ValueType::integer,
                    .doc = "how much they are preferred; below 0: never taken",
                    .required = true,
                    .example = "600",
                    .minimum = -32768,
                    .maximum = 32767}}};
}

TableSchema packages_table() {
  return {.name = "packages",
          .doc = "What is installed beside the distribution's essential packages.",
          .keys = {{.name = "install",
                    .type = ValueType::string_list,
                    .doc = "packages to install: NAME, NAME:ARCH, NAME=VERSION or NAME/RELEASE",
                    .fallback = StringList{},
                    .example = "[\"nginx-light\", \"curl\"]",
                    .pattern = "^[a-z0-9][a-z0-9+.-]+(:[A-Za-z0-9-]+)?([=/][A-Za-z0-9][A-Za-z0-9.+~:_-]*)?$",
                    .check = spelling::package},
                   {.name = "remove",
                    .type = ValueType::string_list,
                    .doc = "packages to remove once the others are there",
                    .fallback = StringList{},
                    .example = "[\"tzdata\"]",
                    .pattern = "^[a-z0-9][a-z0-9+.-]+(:[A-Za-z0-9-]+)?$",
                    .check = spelling::plain_package},
                   {.name = "recommends",
                    .type = ValueType::boolean,
                    .doc = "also install what the packages recommend",
                    .fallback = false,
                    .example = "true"}}};
}

}  // namespace domsmith
