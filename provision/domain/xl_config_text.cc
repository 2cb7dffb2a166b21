#include <fmt/format.h>

#include "provision/domain/config_keys.h"
#include "provision/domain/xl_config.h"

namespace domsmith {
namespace {

// A string of xl.cfg(5). libxlutil's lexer (libxlu_cfg_l.l) reads \\ and \" back as one character; its \x and octal
// escapes drop what they name, so they are not used: what would need them does not validate().
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + '"';
}

// `target` comes last: it takes the rest of the string, commas included (xl-disk-configuration(5)).
std::string disk_words(const DomainDisk& disk) {
  return fmt::format("format=raw, vdev={}, access={}{}, target={}", disk.vdev, disk.writable ? "rw" : "ro",
                     disk.phy ? ", backendtype=phy" : "", disk.target);
}

std::string vif_words(const DomainVif& vif) {
  std::string words = "mac=" + vif.mac;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) {
      words += fmt::format(", {}={}", key, value);
    }
  };
  add("bridge", vif.bridge);
  add("script", vif.script);
  add("rate", vif.rate);
  return words;
}

template <class T, class Words>
std::string list_text(const std::vector<T>& items, Words words) {
  if (items.empty()) {
    return "[]";
  }
  if (items.size() == 1) {
    return fmt::format("[ {} ]", in_quotes(words(items.front())));
  }
  std::string text = "[\n";
  for (const auto& item : items) {
    text += fmt::format("  {},\n", in_quotes(words(item)));
  }
  return text + "]";
}

std::string line(std::string_view key, std::string_view value) { return fmt::format("{:<11} = {}\n", key, value); }

}  // namespace

std::string xl_config_text(const DomainSpec& spec) {
  std::string text = fmt::format("{}\n", marker_line);
  text += "# A Xen guest. Edit it as you like (xl.cfg(5)); it works without domsmith too: xl create THIS-FILE\n";
  text += "# domsmith replaces or removes this file only as long as its first line stands here.\n\n";
  text += line("name", in_quotes(spec.name));
  text += line("uuid", in_quotes(spec.uuid));
  text += line("type", in_quotes(type_word(spec.type)));
  text += "\n# MiB; a guest may be given up to maxmem while it runs (xl mem-set)\n";
  text += line("memory", std::to_string(spec.memory_mib));
  text += line("maxmem", std::to_string(spec.maxmem_mib));
  text += line("vcpus", std::to_string(spec.vcpus));
  if (spec.tsc != TscMode::standard) {
    text += line("tsc_mode", in_quotes(tsc_word(spec.tsc)));
  }
  text += "\n# files of this host, not of the guest\n";
  text += line("kernel", in_quotes(spec.kernel));
  if (!spec.ramdisk.empty()) {
    text += line("ramdisk", in_quotes(spec.ramdisk));
  }
  text += line("cmdline", in_quotes(spec.cmdline));
  text += "\n# xl-disk-configuration(5), xl-network-configuration(5)\n";
  text += line("disk", list_text(spec.disks, disk_words));
  text += line("vif", list_text(spec.vifs, vif_words));
  text += "\n# when it ends\n";
  text += line("on_poweroff", in_quotes(action_word(spec.on_poweroff)));
  text += line("on_reboot", in_quotes(action_word(spec.on_reboot)));
  text += line("on_crash", in_quotes(action_word(spec.on_crash)));
  return text;
}

Result<std::string> checked_xl_config(const DomainSpec& spec) {
  TRY(validate(spec));
  auto text = xl_config_text(spec);
  auto meant = spec;
  meant.autostart = false;
  const auto headline = fmt::format("cannot write the domain config of '{}'", spec.name);
  if (TRY_AS(parse_xl_config(text, spec.name + ".cfg"), headline) != meant) {
    return fail(ErrorCode::failed, headline + ": xl would read another domain in it than was meant");
  }
  return text;
}

}  // namespace domsmith
