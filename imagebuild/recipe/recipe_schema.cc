// The description of a recipe: the parser, `recipe schema` and docs/recipe.md all come from here.
#include "imagebuild/recipe/checks.h"
#include "imagebuild/recipe/package_tables.h"
#include "imagebuild/recipe/parse.h"

namespace domsmith {

namespace {

constexpr std::int64_t mebibyte = 1LL << 20;
constexpr std::int64_t tebibyte = 1LL << 40;
constexpr char name_pattern[] = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
constexpr char account_pattern[] = "^[a-z_][a-z0-9_-]{0,31}$";
constexpr char path_pattern[] = "^(/[^/]+)+$";

TableSchema image_table() {
  return {.name = "image",
          .doc = "What the golden image is called.",
          .required = true,
          .keys = {{.name = "name",
                    .doc = "the image's name, a host label of RFC 1123",
                    .required = true,
                    .example = "\"debian-web\"",
                    .pattern = name_pattern,
                    .check = spelling::object_name},
                   {.name = "version",
                    .doc = "a version of your own",
                    .fallback = "1",
                    .example = "\"2026.1\"",
                    .pattern = "^[A-Za-z0-9][A-Za-z0-9.+~_-]{0,63}$",
                    .check = spelling::version},
                   {.name = "architecture",
                    .doc = "dpkg's word for the architecture",
                    .default_text = "the host's",
                    .example = "\"amd64\"",
                    .choices = {"amd64", "arm64", "armhf", "i386"}}}};
}

KeySchema place_key(std::string name, std::string doc, std::string example, StringCheck check) {
  return {.name = std::move(name), .doc = std::move(doc), .example = std::move(example), .check = std::move(check)};
}

TableSchema source_table() {
  return {
      .name = "source",
      .doc =
          "Where the tree comes from, instead of [distribution]: one of `tar`, `oci`, `disk`, `rpm` and `pacman`. See "
          "[Other sources](#other-sources).",
      .keys = {
          place_key("tar", "a tar archive in the recipe's folder, compressed or not", "\"rootfs.tar.xz\"",
                    spelling::source_path),
          place_key("oci", "an OCI image: a layout's folder or archive in the recipe's folder, or a registry's image",
                    "\"docker://docker.io/library/debian:12\"", spelling::oci),
          place_key("disk", "a disk image in the recipe's folder that holds a Linux system", "\"server.qcow2\"",
                    spelling::source_path),
          {.name = "format",
           .doc = "the disk image's format; it is never guessed",
           .example = "\"qcow2\"",
           .choices = {"raw", "qcow2"}},
          {.name = "sha256",
           .doc = "the SHA-256 that the file must have: `tar`, `disk`, or `oci` as an archive",
           .example = "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
           .pattern = "^[0-9a-f]{64}$",
           .check = spelling::sha256},
          {.name = "rpm",
           .type = ValueType::string_or_list,
           .doc = "URLs of repositories that dnf(8) installs from",
           .fallback = StringList{},
           .example = "\"https://mirror.example/fedora/linux/releases/40/Everything/x86_64/os\"",
           .check = spelling::url},
          {.name = "release",
           .doc = "with `rpm`: what $releasever means",
           .example = "\"40\"",
           .check = spelling::version},
          {.name = "pacman",
           .type = ValueType::string_or_list,
           .doc = "repositories that pacman(8) installs from, as NAME=URL",
           .fallback = StringList{},
           .example = "\"core=https://mirror.example/archlinux/core/os/x86_64\"",
           .check = spelling::pacman_repository},
          {.name = "keys",
           .type = ValueType::string_list,
           .doc = "with `rpm` and `pacman`: files in the recipe's folder with the keys that sign the packages",
           .fallback = StringList{},
           .example = "[\"files/packages.asc\"]",
           .check = spelling::source_path},
          {.name = "unsigned",
           .type = ValueType::boolean,
           .doc = "with `rpm` and `pacman`: take packages that nobody signed",
           .fallback = false,
           .example = "true"}}};
}

TableSchema filesystem_table() {
  return {
      .name = "filesystem",
      .doc = "The image's root file system.",
      .keys = {{.name = "type", .doc = "its type", .fallback = "ext4", .example = "\"ext4\"", .choices = {"ext4"}},
               {.name = "size",
                .type = ValueType::size,
                .doc = "its size, from 64 MiB up, in whole MiB; what is empty takes no space. \"auto\": as small as "
                       "what is in it and `headroom` allow",
                .fallback = 2048 * mebibyte,
                .example = "\"auto\"",
                .minimum = 64 * mebibyte,
                .maximum = 16 * tebibyte,
                .word = "auto",
                .multiple = mebibyte},
               {.name = "headroom",
                .doc = "with `size = \"auto\"`: how much stays free, a size or a part of what is there",
                .fallback = "256MiB",
                .example = "\"20%\"",
                .check = spelling::headroom},
               {.name = "label",
                .doc = "its label, 1 to 16 bytes",
                .fallback = "root",
                .example = "\"root\"",
                .pattern = "^[A-Za-z0-9._-]{1,16}$",
                .check = spelling::label}}};
}

KeySchema units_key(std::string name, std::string doc, std::string example) {
  return {.name = std::move(name),
          .type = ValueType::string_list,
          .doc = std::move(doc),
          .fallback = StringList{},
          .example = std::move(example),
          .pattern = "^[A-Za-z0-9:_.\\\\@][A-Za-z0-9:_.\\\\@-]{0,254}$",
          .check = spelling::unit};
}

KeySchema password_key(std::string name) {
  return {.name = std::move(name),
          .doc = "\"locked\", or a hash of crypt(5) as mkpasswd(1) prints it",
          .fallback = "locked",
          .example = "\"locked\"",
          .pattern = "^(locked|\\$[^$]+\\$.+)$",
          .check = spelling::password};
}

TableSchema system_table() {
  return {.name = "system",
          .doc = "The system's own settings.",
          .keys = {{.name = "hostname",
                    .doc = "the golden image's host name; each clone gets one of its own",
                    .default_text = "the image's name",
                    .example = "\"web\"",
                    .check = spelling::host_name},
                   {.name = "timezone",
                    .doc = "a name below /usr/share/zoneinfo",
                    .fallback = "Etc/UTC",
                    .example = "\"Europe/Berlin\"",
                    .check = spelling::timezone},
                   {.name = "locale",
                    .doc = "LANG of /etc/default/locale; others than C.UTF-8 need the package locales",
                    .fallback = "C.UTF-8",
                    .example = "\"de_DE.UTF-8\"",
                    .check = spelling::locale},
                   password_key("root-password")},
          .tables = {{.name = "services",
                      .doc = "Units of systemd(1).",
                      .keys = {units_key("enable", "units to enable", "[\"nginx.service\"]"),
                               units_key("disable", "units to disable", "[\"nginx.service\"]"),
                               units_key("mask", "units to mask", "[\"apt-daily.timer\"]")}}}};
}

TableSchema user_table() {
  return {
      .name = "user",
      .doc = "A user to add. Root is there already: only `ssh-keys` can be given for it.",
      .array = true,
      .keys = {{.name = "name",
                .doc = "the login name",
                .required = true,
                .example = "\"deploy\"",
                .pattern = account_pattern,
                .check = spelling::account},
               {.name = "uid",
                .type = ValueType::integer,
                .doc = "the user's number",
                .default_text = "the next free one",
                .example = "1500",
                .minimum = 1,
                .maximum = 4294967293},
               {.name = "groups",
                .type = ValueType::string_list,
                .doc = "groups beside the user's own; those that are missing are made",
                .fallback = StringList{},
                .example = "[\"adm\"]",
                .pattern = account_pattern,
                .check = spelling::account},
               {.name = "shell",
                .doc = "the login shell",
                .fallback = "/bin/bash",
                .example = "\"/bin/sh\"",
                .pattern = path_pattern,
                .check = spelling::absolute_path},
               {.name = "home",
                .doc = "the home directory",
                .default_text = "/home/NAME",
                .example = "\"/srv/deploy\"",
                .pattern = path_pattern,
                .check = spelling::absolute_path},
               password_key("password"),
               {.name = "ssh-keys",
                .type = ValueType::string_list,
                .doc = "public keys for ~/.ssh/authorized_keys",
                .fallback = StringList{},
                .example = "[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me\"]",
                .check = spelling::ssh_key},
               {.name = "system",
                .type = ValueType::boolean,
                .doc = "a system user, its number below 1000",
                .fallback = false,
                .example = "true"}},
      .identity = "name"};
}

KeySchema source_key() {
  return {.name = "source",
          .doc = "a file in the recipe's folder that holds it; this or `content`",
          .example = "\"files/motd\"",
          .check = spelling::source_path};
}

TableSchema group_table() {
  return {.name = "group",
          .doc = "A group to add, before the users.",
          .array = true,
          .keys = {{.name = "name",
                    .doc = "the group's name",
                    .required = true,
                    .example = "\"web\"",
                    .pattern = account_pattern,
                    .check = spelling::account},
                   {.name = "gid",
                    .type = ValueType::integer,
                    .doc = "its number",
                    .default_text = "the next free one",
                    .example = "1600",
                    .minimum = 1,
                    .maximum = 59999},
                   {.name = "system",
                    .type = ValueType::boolean,
                    .doc = "a system group, its number below 1000",
                    .fallback = false,
                    .example = "true"}},
          .identity = "name"};
}

TableSchema tree_table() {
  return {.name = "tree",
          .doc = "A folder to put into the image with all that it holds, before the files of [[file]].",
          .array = true,
          .keys = {{.name = "path",
                    .doc = "where it stands in the image; what is there already stays",
                    .required = true,
                    .example = "\"/srv/www\"",
                    .pattern = path_pattern,
                    .check = spelling::absolute_path},
                   {.name = "source",
                    .doc = "a folder in the recipe's folder; programs are 0755, other files 0644, links stay links",
                    .required = true,
                    .example = "\"files\"",
                    .check = spelling::source_path},
                   {.name = "owner",
                    .doc = "the owner of all in it, a name or a number",
                    .fallback = "root",
                    .example = "\"www-data\"",
                    .check = spelling::owner},
                   {.name = "group",
                    .doc = "the group of all in it, a name or a number",
                    .fallback = "root",
                    .example = "\"www-data\"",
                    .check = spelling::owner}},
          .identity = "path"};
}

TableSchema file_table() {
  return {.name = "file",
          .doc = "A file to put into the image, behind the packages and before the customize scripts.",
          .array = true,
          .keys = {{.name = "path",
                    .doc = "where it stands in the image; missing folders are made",
                    .required = true,
                    .example = "\"/etc/motd\"",
                    .pattern = path_pattern,
                    .check = spelling::absolute_path},
                   source_key(),
                   {.name = "content", .doc = "what it holds; this or `source`", .example = "\"Welcome\\n\""},
                   {.name = "mode",
                    .type = ValueType::mode,
                    .doc = "its permission bits",
                    .fallback = std::int64_t{0644},
                    .example = "\"0600\""},
                   {.name = "owner",
                    .doc = "its owner, a name or a number",
                    .fallback = "root",
                    .example = "\"www-data\"",
                    .check = spelling::owner},
                   {.name = "group",
                    .doc = "its group, a name or a number",
                    .fallback = "root",
                    .example = "\"www-data\"",
                    .check = spelling::owner}},
          .identity = "path"};
}

TableSchema script_table() {
  return {
      .name = "script",
      .doc =
          "A program that runs in the image while it is built; its first line names the interpreter: `#!/bin/sh -e`.",
      .array = true,
      .keys = {{.name = "phase",
                .doc = "when it runs: see [Scripts](#scripts)",
                .fallback = "customize",
                .example = "\"final\"",
                .choices = {"setup", "essential", "customize", "final"}},
               source_key(),
               {.name = "content", .doc = "the program; this or `source`", .example = "\"#!/bin/sh -e\\nldconfig\\n\""},
               {.name = "network",
                .type = ValueType::boolean,
                .doc = "it may use the host's network; without it has none",
                .fallback = false,
                .example = "true"}}};
}

TableSchema boot_table() {
  return {.name = "boot",
          .doc = "How a guest of the image boots.",
          .keys = {{.name = "kernel",
                    .doc = "the kernel's package; \"none\": the image has no boot files",
                    .default_text = "the distribution's kernel for virtual machines, or the architecture",
                    .example = "\"linux-image-amd64\"",
                    .check = spelling::kernel},
                   {.name = "cmdline",
                    .doc = "the kernel's command line, at most 1023 bytes",
                    .fallback = "root=/dev/xvda ro console=hvc0",
                    .example = "\"root=/dev/xvda ro console=hvc0 quiet\"",
                    .pattern = "^[ !#-&(-\\[\\]-~]{0,1023}$",
                    .check = spelling::cmdline},
                   {.name = "modules",
                    .type = ValueType::string_list,
                    .doc = "kernel modules for the initramfs, beside those that every Xen guest gets",
                    .fallback = StringList{},
                    .example = "[\"btrfs\"]",
                    .pattern = "^[A-Za-z0-9][A-Za-z0-9_-]{0,54}$",
                    .check = spelling::module}}};
}

}  // namespace

namespace {

TableSchema variables_table() {
  return {.name = "variables",
          .doc =
              "Defaults of variables: `{{NAME}}` in any string of the recipe stands for the value; "
              "`--set NAME=VALUE` gives another one.",
          .free_key =
              KeySchema{.name = "NAME", .doc = "a variable's default", .example = "port = \"8080\"", .maximum = 4096}};
}

TableSchema profile_table() {
  return {.name = "profile",
          .doc =
              "Tables that are laid over the recipe's own where `--profile NAME` asks for it. They hold what the "
              "recipe's tables hold: `[profile.debug.packages]`, `[[profile.debug.file]]`.",
          .profiles = true};
}

KeySchema include_key() {
  return {.name = "include",
          .type = ValueType::string_or_list,
          .doc = "recipes in this one's folder that come first; what stands here is laid over them",
          .fallback = StringList{},
          .example = "[\"common/base.toml\"]",
          .check = spelling::source_path};
}

}  // namespace

const Schema& recipe_schema() {
  static const Schema schema{
      .title = "recipe",
      .root = {.name = "",
               .doc = "",
               .keys = {{.name = "schema",
                         .type = ValueType::integer,
                         .doc = "the version of this format",
                         .fallback = std::int64_t{1},
                         .example = "1",
                         .minimum = 1,
                         .maximum = 1},
                        include_key()},
               .tables = {variables_table(), profile_table(), image_table(), distribution_table(), repository_table(),
                          pin_table(), source_table(), packages_table(), filesystem_table(), system_table(),
                          user_table(), group_table(), tree_table(), file_table(), script_table(), boot_table()}},
      .check = {},
      .composed = true};
  return schema;
}

}  // namespace domsmith
