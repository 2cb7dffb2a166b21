// The spelling of names and paths, for the checks of schemas. nullopt: it is right.
#pragma once

#include <optional>
#include <string_view>

#include "imagebuild/recipe/schema.h"

namespace domsmith::spelling {

std::optional<Complaint> object_name(std::string_view text);  // base/text.h check_name: images, guests, templates
std::optional<Complaint> version(std::string_view text);      // letters, digits, '.', '+', '~', '-', '_'
std::optional<Complaint> suite(std::string_view text);        // a distribution's release: "bookworm"
std::optional<Complaint> component(std::string_view text);    // "main", "non-free-firmware"
std::optional<Complaint> mirror(std::string_view text);       // a URL, or a one-line entry of sources.list(5)
std::optional<Complaint> repository_release(std::string_view text);  // a suite, or a folder: "./"
std::optional<Complaint> pinned(std::string_view text);  // a package's name or pattern, as apt_preferences(5) has it
std::optional<Complaint> pin(std::string_view text);     // "version 1.2*", "release a=stable", "origin HOST"
std::optional<Complaint> package(
    std::string_view text);  // a name as Debian Policy 5.6.1 has it, with ":arch", "=version" or "/suite"
std::optional<Complaint> plain_package(std::string_view text);  // the name, perhaps with ":arch"
std::optional<Complaint> kernel(std::string_view text);         // a package's name or "none"
std::optional<Complaint> label(std::string_view text);          // of a file system: 1 to 16 bytes (ext4)
std::optional<Complaint> headroom(std::string_view text);       // "256MiB", "20%"
std::optional<Complaint> host_name(std::string_view text);      // hostname(7): labels of RFC 1123, at most 64 bytes
std::optional<Complaint> timezone(std::string_view text);       // a path below /usr/share/zoneinfo
std::optional<Complaint> locale(std::string_view text);         // locale(7): "de_DE.UTF-8"
std::optional<Complaint> unit(std::string_view text);           // systemd.unit(5)
std::optional<Complaint> account(std::string_view text);        // a user's or group's name, useradd(8)
std::optional<Complaint> owner(std::string_view text);          // an account's name or its number
std::optional<Complaint> password(std::string_view text);       // "locked" or a hash of crypt(5)
std::optional<Complaint> ssh_key(std::string_view text);        // a line of authorized_keys, sshd(8), without options
std::optional<Complaint> absolute_path(
    std::string_view text);                                   // normalised: no "//", no "." or "..", no '/' at the end
std::optional<Complaint> source_path(std::string_view text);  // relative, and it stays in its folder
std::optional<Complaint> oci(std::string_view text);          // a source path, or "docker://HOST/NAME:TAG" (skopeo(1))
std::optional<Complaint> sha256(std::string_view text);       // 64 lower-case digits
std::optional<Complaint> url(std::string_view text);          // http, https or file
std::optional<Complaint> pacman_repository(std::string_view text);  // "NAME=URL"
std::optional<Complaint> cmdline(std::string_view text);            // of a kernel: printable ASCII without quotes
std::optional<Complaint> module(std::string_view text);             // of a kernel

}  // namespace domsmith::spelling
