// A validated recipe: what recipe/parse.h makes of a TOML file, defaults filled in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace domsmith {

struct RecipeUser {
  std::string name;
  std::optional<std::uint32_t> uid;
  std::vector<std::string> groups;
  std::string shell = "/bin/bash";
  std::string home;                 // default: /home/NAME
  std::string password = "locked";  // "locked" or a crypt(5) hash
  std::vector<std::string> ssh_keys;
  bool system = false;
  bool operator==(const RecipeUser&) const = default;
};

struct RecipeGroup {
  std::string name;
  std::optional<std::uint32_t> gid;
  bool system = false;
  bool operator==(const RecipeGroup&) const = default;
};

struct RecipeFile {
  std::string path;    // absolute, in the image
  std::string bytes;   // of `content`, or read from `source`
  std::string source;  // as written in the recipe; empty for `content`
  std::uint32_t mode = 0644;
  std::string owner = "root";
  std::string group = "root";
  bool operator==(const RecipeFile&) const = default;
};

// A folder with all that it holds.
struct RecipeTree {
  struct Node {
    enum class Kind { file, folder, link };
    Kind kind = Kind::file;
    std::string path;   // absolute, in the image
    std::string bytes;  // a file's, or the text of a link
    std::uint32_t mode = 0644;
    bool operator==(const Node&) const = default;
  };
  std::string path;
  std::string source;  // as written in the recipe
  std::string owner = "root";
  std::string group = "root";
  std::vector<Node> nodes;  // by path: a folder before what it holds
  bool operator==(const RecipeTree&) const = default;
};

struct RecipeScript {
  enum class Phase { setup, essential, customize, final };
  Phase phase = Phase::customize;
  std::string bytes;   // starts with "#!"
  std::string name;    // for messages: the source's name, or "script 2"
  std::string source;  // as written in the recipe; empty for `content`
  bool network = false;
  bool operator==(const RecipeScript&) const = default;
};

// A further apt repository, beside those of [distribution].
struct RecipeRepository {
  std::string name;  // of its files in the image: /etc/apt/sources.list.d/NAME.sources
  std::string url;
  std::string release;  // a suite; one that ends with '/' is a folder without components
  std::vector<std::string> components;
  std::string key;           // a file in the recipe's folder: the OpenPGP keys of which one has to sign it
  std::string key_bytes;     // what that holds
  bool is_unsigned = false;  // its packages are taken without a signature
  bool operator==(const RecipeRepository&) const = default;
};

// Which versions apt prefers: apt_preferences(5).
struct RecipePin {
  std::vector<std::string> packages;  // names and patterns
  std::string pin;                    // "version 1.2*", "release a=bookworm-backports", "origin deb.debian.org"
  std::int64_t priority = 0;
  bool operator==(const RecipePin&) const = default;
};

// A tree that does not come from an apt archive.
struct RecipeSource {
  enum class Kind { none, tar, oci, disk, rpm, pacman };  // none: [distribution] says where the packages come from
  Kind kind = Kind::none;
  std::string location;                   // tar, oci, disk: a path in the recipe's folder; oci: or "docker://…"
  std::string format;                     // disk: "raw", "qcow2"; never guessed
  std::string sha256;                     // what the file must have; empty: anything
  std::vector<std::string> repositories;  // rpm: URLs; pacman: "NAME=URL"
  std::string release;                    // rpm: what $releasever means
  std::vector<std::string> keys;          // rpm, pacman: files of OpenPGP keys that sign the packages
  std::vector<std::string> key_bytes;     // what these hold
  bool is_unsigned = false;               // rpm, pacman: packages are taken without a signature
  bool operator==(const RecipeSource&) const = default;
};

struct Recipe {
  std::filesystem::path file;  // where it was read from
  std::int64_t schema = 1;
  struct Image {
    std::string name;
    std::string version = "1";
    std::string architecture;  // Debian's word: amd64; default: the host's
    bool operator==(const Image&) const = default;
  } image;
  struct Distribution {
    std::string name = "debian";  // debian, ubuntu, devuan
    std::string release;
    std::vector<std::string> components{"main"};
    std::vector<std::string> mirrors;  // URLs or whole "deb …" lines; empty: the host's own apt sources
    bool operator==(const Distribution&) const = default;
  } distribution;
  std::vector<RecipeRepository> repositories;
  std::vector<RecipePin> pins;
  RecipeSource source;
  struct Packages {
    std::vector<std::string> install;
    std::vector<std::string> remove;
    bool recommends = false;
    bool operator==(const Packages&) const = default;
  } packages;
  struct Filesystem {
    std::string type = "ext4";
    std::uint64_t size = 2ULL << 30;  // bytes; 0: what is in it and the headroom, known once the tree is made
    std::string headroom = "256MiB";  // headroom.h
    std::string label = "root";
    bool operator==(const Filesystem&) const = default;
  } filesystem;
  struct System {
    std::string hostname;  // default: the image's name
    std::string timezone = "Etc/UTC";
    std::string locale = "C.UTF-8";
    std::string root_password = "locked";
    std::vector<std::string> services_enable, services_disable, services_mask;
    bool operator==(const System&) const = default;
  } system;
  std::vector<RecipeGroup> groups;
  std::vector<RecipeUser> users;
  std::vector<RecipeTree> trees;
  std::vector<RecipeFile> files;
  std::vector<RecipeScript> scripts;
  struct Boot {
    std::string kernel;  // package name; "none": no boot files. Default: the distribution's for virtual machines
    std::string cmdline = "root=/dev/xvda ro console=hvc0";
    std::vector<std::string> modules;  // beside those that every Xen guest gets
    bool operator==(const Boot&) const = default;
  } boot;
  bool operator==(const Recipe&) const = default;
};

}  // namespace domsmith
