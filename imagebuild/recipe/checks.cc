#include "imagebuild/recipe/checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "imagebuild/recipe/headroom.h"
#include "imagebuild/recipe/source_text.h"

namespace domsmith::spelling {

namespace {

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return lower(c) || (c >= 'A' && c <= 'Z'); }
bool printable(char c) { return c >= 0x20 && c < 0x7f; }
bool any_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// Complains of the first byte that `good` refuses, else of the length.
template <class Good>
std::optional<Complaint> spelled(std::string_view kind, std::string_view text, std::size_t limit, std::string_view hint,
                                 Good good) {
  std::size_t bad = 0;
  while (bad < text.size() && good(bad)) {
    ++bad;
  }
  if (bad == text.size() && !text.empty() && text.size() <= limit) {
    return std::nullopt;
  }
  const std::string what =
      text.empty() ? fmt::format("the {} is empty", kind) : fmt::format("bad {} '{}'", kind, shortened(text));
  std::string full(hint);
  if (text.size() > limit) {
    full = fmt::format("at most {} bytes, this has {}", limit, text.size());
  }
  return Complaint{.what = what, .hint = full, .offset = 0, .width = 0};
}

// The text up to the first of `ends`, and what stands from there on.
std::pair<std::string_view, std::string_view> cut(std::string_view text, std::string_view ends) {
  const auto at = text.find_first_of(ends);
  return at == std::string_view::npos ? std::pair{text, std::string_view{}}
                                      : std::pair{text.substr(0, at), text.substr(at)};
}

constexpr std::string_view package_hint = "lower-case letters, digits, '+', '-' and '.', a letter or digit first";

std::optional<Complaint> package_name(std::string_view whole, std::string_view name) {
  auto complaint = spelled("package name", name, 200, package_hint, [&](std::size_t i) {
    return lower(name[i]) || digit(name[i]) || (i > 0 && any_of(name[i], "+-."));
  });
  if (!complaint && (name.size() < 2 || name.ends_with('-'))) {
    // apt-get(8): NAME- among the packages to install means to remove NAME.
    complaint = Complaint{
        .what = {},
        .hint = name.size() < 2 ? "two characters at least" : "it ends with '-', by which apt means to remove it"};
  }
  if (complaint) {
    complaint->what = fmt::format("bad package name '{}'", shortened(whole));
  }
  return complaint;
}

bool good_qualifier(std::string_view text, std::string_view extra) {
  return text.size() > 1 && (letter(text[1]) || digit(text[1])) &&
         std::ranges::all_of(text.substr(1), [&](char c) { return letter(c) || digit(c) || any_of(c, extra); });
}

bool good_parts(std::string_view path) {
  while (!path.empty()) {
    const auto [part, rest] = cut(path, "/");
    if (part.empty() || part == "." || part == ".." || part.size() > 255 || rest == "/") {
      return false;
    }
    path = rest.empty() ? rest : rest.substr(1);
  }
  return true;
}

std::optional<Complaint> bad_path(std::string_view text, std::string_view hint) {
  return Complaint{.what = fmt::format("bad path '{}'", shortened(text)), .hint = std::string(hint)};
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<Complaint> source_line(std::string_view text) {
  std::string_view rest = text.substr(4);
  while (rest.starts_with(' ')) {
    rest.remove_prefix(1);
  }
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    rest = close == std::string_view::npos ? std::string_view{} : rest.substr(close + 1);
  }
  std::size_t words = 0;
  bool inside = false;
  for (const char c : rest) {
    words += c != ' ' && !inside ? 1 : 0;
    inside = c != ' ';
  }
  if (words < 2 || rest.find("://") == std::string_view::npos) {
    return Complaint{.what = fmt::format("bad source line '{}'", shortened(text)),
                     .hint = "deb [OPTIONS] URL SUITE COMPONENT…"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Complaint> object_name(std::string_view text) { return complaint_of(check_name("name", text)); }

std::optional<Complaint> version(std::string_view text) {
  return spelled(
      "version", text, 64, "letters, digits, '.', '+', '~', '-' and '_', a letter or digit first",
      [&](std::size_t i) { return letter(text[i]) || digit(text[i]) || (i > 0 && any_of(text[i], ".+~-_")); });
}

std::optional<Complaint> suite(std::string_view text) {
  return spelled("release", text, 64, "a codename, for example \"bookworm\"",
                 [&](std::size_t i) { return lower(text[i]) || digit(text[i]) || (i > 0 && any_of(text[i], ".-_")); });
}

std::optional<Complaint> component(std::string_view text) {
  return spelled("component", text, 64, "for example \"main\"",
                 [&](std::size_t i) { return lower(text[i]) || digit(text[i]) || (i > 0 && any_of(text[i], ".-_")); });
}

std::optional<Complaint> repository_release(std::string_view text) {
  auto complaint =
      spelled("release", text, 128, "for example \"bookworm\", or \"./\" for a folder", [&](std::size_t i) {
        return letter(text[i]) || digit(text[i]) || text[i] == '.' || (i > 0 && any_of(text[i], "-_/"));
      });
  if (!complaint && (text.contains("..") || text.contains("//"))) {
    complaint = Complaint{.what = fmt::format("bad release '{}'", shortened(text)), .hint = "without '..' and '//'"};
  }
  return complaint;
}

std::optional<Complaint> pinned(std::string_view text) {
  return spelled("package name or pattern", text, 200, "a package's name, perhaps with '*', '?' and \":ARCH\"",
                 [&](std::size_t i) {
                   return letter(text[i]) || digit(text[i]) || any_of(text[i], "*?") ||
                          (i > 0 && any_of(text[i], "+-.:_[]"));
                 });
}

std::optional<Complaint> pin(std::string_view text) {
  const auto [kind, rest] = cut(text, " ");
  const bool known = kind == "version" || kind == "release" || kind == "origin";
  if (known && rest.size() > 1 && text.size() <= 512 && std::ranges::all_of(text, printable)) {
    return std::nullopt;
  }
  return Complaint{.what = fmt::format("bad pin '{}'", shortened(text)),
                   .hint = "\"version 1.2*\", \"release n=bookworm-backports\" or \"origin deb.debian.org\""};
}

std::optional<Complaint> mirror(std::string_view text) {
  if (text.size() > 2000 || has_control(text)) {
    return Complaint{.what = fmt::format("bad mirror '{}'", shortened(text)), .hint = "one line of at most 2000 bytes"};
  }
  if (text.starts_with("deb ")) {
    return source_line(text);
  }
  const auto colon = text.find("://");
  const bool scheme =
      colon != std::string_view::npos && colon > 0 && lower(text[0]) &&
      std::ranges::all_of(text.substr(0, colon), [](char c) { return lower(c) || digit(c) || any_of(c, "+-."); });
  if (!scheme || text.size() == colon + 3 || any_of(' ', text)) {
    return Complaint{.what = fmt::format("bad mirror '{}'", shortened(text)),
                     .hint = "a URL (https://deb.debian.org/debian) or a line \"deb URL SUITE COMPONENT\""};
  }
  return std::nullopt;
}

std::optional<Complaint> plain_package(std::string_view text) {
  const auto [name, rest] = cut(text, ":");
  auto complaint = package_name(text, name);
  if (!complaint && !rest.empty() && !good_qualifier(rest, "-")) {
    complaint = Complaint{.what = fmt::format("bad package name '{}'", shortened(text)),
                          .hint = "an architecture stands behind ':'"};
  }
  return complaint;
}

std::optional<Complaint> package(std::string_view text) {
  const auto [name, rest] = cut(text, "=/");
  auto complaint = plain_package(name);
  if (!complaint && !rest.empty() && !good_qualifier(rest, rest[0] == '=' ? ".+~-:" : ".-_")) {
    complaint =
        Complaint{.what = {}, .hint = rest[0] == '=' ? "a version stands behind '='" : "a release stands behind '/'"};
  }
  if (complaint) {
    complaint->what = fmt::format("bad package name '{}'", shortened(text));
  }
  return complaint;
}

std::optional<Complaint> kernel(std::string_view text) { return text == "none" ? std::nullopt : plain_package(text); }

std::optional<Complaint> label(std::string_view text) {
  return spelled("label", text, 16, "letters, digits, '.', '_' and '-'",
                 [&](std::size_t i) { return letter(text[i]) || digit(text[i]) || any_of(text[i], "._-"); });
}

std::optional<Complaint> headroom(std::string_view text) {
  return parse_headroom(text)
             ? std::nullopt
             : std::optional(Complaint{.what = fmt::format("bad headroom '{}'", shortened(text)),
                                       .hint = "a size or a part of what is there: \"256MiB\", \"20%\""});
}

std::optional<Complaint> host_name(std::string_view text) {
  std::string_view rest = text;
  bool good = !text.empty() && text.size() <= 64 && !text.ends_with('.');
  while (good && !rest.empty()) {
    const auto [part, behind] = cut(rest, ".");
    good = check_name("host name", part).has_value();
    rest = behind.empty() ? behind : behind.substr(1);
  }
  return good ? std::nullopt
              : std::optional(Complaint{.what = fmt::format("bad host name '{}'", shortened(text)),
                                        .hint = "lower-case letters, digits and '-', parted by '.', at most 64 bytes"});
}

std::optional<Complaint> timezone(std::string_view text) {
  auto complaint =
      spelled("timezone", text, 100, "a name below /usr/share/zoneinfo: \"Europe/Berlin\"",
              [&](std::size_t i) { return letter(text[i]) || digit(text[i]) || (i > 0 && any_of(text[i], "_+-/")); });
  if (!complaint && !good_parts(text)) {
    complaint =
        Complaint{.what = fmt::format("bad timezone '{}'", shortened(text)), .hint = "for example \"Europe/Berlin\""};
  }
  return complaint;
}

std::optional<Complaint> locale(std::string_view text) {
  return spelled("locale", text, 64, "for example \"C.UTF-8\" or \"de_DE.UTF-8\"", [&](std::size_t i) {
    return letter(text[i]) || (i > 0 && (digit(text[i]) || any_of(text[i], "_.@-")));
  });
}

std::optional<Complaint> unit(std::string_view text) {
  return spelled("unit name", text, 255, "letters, digits, ':', '_', '.', '@', '\\' and '-', no '-' first",
                 [&](std::size_t i) {
                   return letter(text[i]) || digit(text[i]) || any_of(text[i], ":_.\\@") || (i > 0 && text[i] == '-');
                 });
}

std::optional<Complaint> account(std::string_view text) {
  return spelled(
      "user or group name", text, 32, "a lower-case letter or '_' first, then also digits and '-'",
      [&](std::size_t i) { return lower(text[i]) || text[i] == '_' || (i > 0 && (digit(text[i]) || text[i] == '-')); });
}

std::optional<Complaint> owner(std::string_view text) {
  const bool number = !text.empty() && text.size() <= 10 && std::ranges::all_of(text, digit);
  if (number && std::stoull(std::string(text)) < 0xffffffffULL) {
    return std::nullopt;
  }
  auto complaint = account(text);
  if (complaint) {
    complaint->hint = "a name like \"www-data\" or a number like \"33\"";
  }
  return complaint;
}

std::optional<Complaint> password(std::string_view text) {
  if (text == "locked") {
    return std::nullopt;
  }
  // crypt(5): $ID$…$…, of printable ASCII without blanks and ':', ';', '*', '!', '\'.
  const bool good_bytes = std::ranges::all_of(text, [](char c) { return printable(c) && !any_of(c, " :;*!\\"); });
  const auto second = text.size() > 1 ? text.find('$', 1) : std::string_view::npos;
  const bool known_shape = text.starts_with('$') && second != std::string_view::npos && second > 1 && second < 8 &&
                           text.size() >= second + 12;
  if (good_bytes && known_shape && text.size() <= 384) {
    return std::nullopt;
  }
  return Complaint{.what = "the password is neither \"locked\" nor a hash of crypt(5)",
                   .hint = "make a hash with: mkpasswd -m yescrypt"};
}

std::optional<Complaint> ssh_key(std::string_view text) {
  if (text.find("PRIVATE KEY") != std::string_view::npos) {
    return Complaint{.what = "this is a private SSH key", .hint = "give the public one, the line in the .pub file"};
  }
  const auto [type, rest] = cut(text, " ");
  const auto [blob, comment] = cut(rest.empty() ? rest : rest.substr(1), " ");
  const bool good_type =
      type == "ssh-ed25519" || type == "ssh-rsa" || type.starts_with("ecdsa-sha2-nistp") || type.starts_with("sk-");
  const bool good_blob = blob.size() >= 32 && blob.starts_with("AAAA") &&
                         std::ranges::all_of(blob, [](char c) { return letter(c) || digit(c) || any_of(c, "+/="); });
  if (good_type && good_blob && !has_control(text) && text.size() <= 8192) {
    return std::nullopt;
  }
  return Complaint{.what = fmt::format("bad SSH key '{}'", shortened(text, 24)),
                   .hint = "one line: TYPE BASE64 COMMENT, as in id_ed25519.pub"};
}

std::optional<Complaint> absolute_path(std::string_view text) {
  if (!text.starts_with('/')) {
    return bad_path(text, "an absolute path: \"/etc/motd\"");
  }
  if (text.size() > 4095 || has_control(text)) {
    return bad_path(text, "at most 4095 bytes, no control characters");
  }
  return text.size() > 1 && good_parts(text.substr(1))
             ? std::nullopt
             : bad_path(text, "without '//', '.' or '..', and no '/' at its end");
}

std::optional<Complaint> source_path(std::string_view text) {
  if (text.starts_with('/')) {
    return bad_path(text, "a path relative to the recipe's folder");
  }
  if (text.empty() || text.size() > 4095 || has_control(text) || !good_parts(text)) {
    return bad_path(text, "a file in the recipe's folder, without '//', '.' or '..'");
  }
  return std::nullopt;
}

std::optional<Complaint> oci(std::string_view text) {
  constexpr std::string_view registry = "docker://";
  if (!text.starts_with(registry)) {
    return source_path(text);
  }
  const std::string_view name = text.substr(registry.size());
  const bool good = !name.empty() && name.size() <= 1024 && (letter(name[0]) || digit(name[0])) &&
                    std::ranges::all_of(name, [](char c) { return letter(c) || digit(c) || any_of(c, "./:@_-"); });
  return good ? std::nullopt
              : std::optional(Complaint{.what = fmt::format("bad name of an image '{}'", shortened(text)),
                                        .hint = "for example docker://docker.io/library/debian:12"});
}

std::optional<Complaint> sha256(std::string_view text) {
  const bool good =
      text.size() == 64 && std::ranges::all_of(text, [](char c) { return digit(c) || (c >= 'a' && c <= 'f'); });
  return good ? std::nullopt
              : std::optional(Complaint{.what = fmt::format("bad SHA-256 '{}'", shortened(text)),
                                        .hint = "64 digits, as sha256sum(1) prints them"});
}

std::optional<Complaint> url(std::string_view text) {
  const bool scheme = text.starts_with("https://") || text.starts_with("http://") || text.starts_with("file:///");
  const bool good = scheme && text.size() <= 2000 &&
                    std::ranges::all_of(text, [](char c) { return printable(c) && !any_of(c, " \"'\\,[]"); });
  return good ? std::nullopt
              : std::optional(Complaint{.what = fmt::format("bad URL '{}'", shortened(text)),
                                        .hint = "it begins with https://, http:// or file:///"});
}

std::optional<Complaint> pacman_repository(std::string_view text) {
  const auto [name, rest] = cut(text, "=");
  auto complaint = component(name);
  if (!complaint && (rest.empty() || url(rest.substr(1)))) {
    complaint = Complaint{};
  }
  if (complaint) {
    complaint = Complaint{.what = fmt::format("bad repository '{}'", shortened(text)),
                          .hint = "NAME=URL: \"core=https://mirror.example/archlinux/core/os/x86_64\""};
  }
  return complaint;
}

std::optional<Complaint> cmdline(std::string_view text) {
  // A PV guest's start_info has 1024 bytes for it (xen/include/public/xen.h, MAX_GUEST_CMDLINE), the zero included.
  return text.empty() ? std::nullopt
                      : spelled("kernel command line", text, 1023, "printable ASCII without quotes and '\\'",
                                [&](std::size_t i) { return printable(text[i]) && !any_of(text[i], "\"'\\"); });
}

std::optional<Complaint> module(std::string_view text) {
  return spelled("kernel module", text, 55, "letters, digits, '_' and '-', a letter or digit first",
                 [&](std::size_t i) { return letter(text[i]) || digit(text[i]) || (i > 0 && any_of(text[i], "_-")); });
}

}  // namespace domsmith::spelling
