#include "provision/domain/template_schema.h"

#include "imagebuild/recipe/document.h"
#include "provision/domain/spec.h"

namespace domsmith {
namespace {

constexpr std::int64_t mib = 1 << 20;

// A check of one string by a function that returns a Result.
template <class Function>
StringCheck check_by(Function function) {
  return [function](std::string_view text) { return complaint_of(function(text)); };
}

std::optional<Complaint> check_cmdline(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] < 0x20 || text[i] > 0x7e) {
      return Complaint{.what = "a kernel command line is one line of printable ASCII",
                       .hint = "this is not",
                       .offset = i,
                       .width = 1};
    }
  }
  return std::nullopt;
}

KeySchema action(std::string name, std::string doc, std::string fallback) {
  return {.name = std::move(name),
          .doc = std::move(doc),
          .fallback = std::move(fallback),
          .choices = {"destroy", "restart", "preserve", "coredump-destroy", "coredump-restart"}};
}

KeySchema memory(std::string name, std::string doc, std::string example) {
  return {.name = std::move(name),
          .type = ValueType::size,
          .doc = std::move(doc),
          .example = std::move(example),
          .minimum = 16 * mib,
          .maximum = (16 << 20) * mib,
          .multiple = mib};
}

TableSchema domain_table() {
  auto size = memory("memory", "Memory at start; whole MiB.", "\"256MiB\"");
  size.required = true;
  auto most = memory("maxmem", "The most it may be given while it runs (xl mem-set).", "\"1GiB\"");
  most.default_text = "memory";
  return {.name = "domain",
          .doc = "How large a guest is and what kind of domain.",
          .required = true,
          .keys = {{.name = "type",
                    .doc = "pvh: hardware-assisted, the usual choice; pv: needs no hardware support.",
                    .fallback = "pvh",
                    .choices = {"pvh", "pv"}},
                   std::move(size),
                   std::move(most),
                   {.name = "vcpus",
                    .type = ValueType::integer,
                    .doc = "Virtual CPUs.",
                    .fallback = std::int64_t{1},
                    .minimum = 1,
                    .maximum = 128},
                   {.name = "tsc_mode",
                    .doc = "How the guest reads the time stamp counter: natively where the host's is reliable and "
                           "trapped elsewhere (default), always trapped, always natively. Of xl.cfg(5).",
                    .fallback = "default",
                    .choices = {"default", "native", "always_emulate"}},
                   {.name = "cmdline",
                    .doc = "Words added behind the image's own kernel command line.",
                    .fallback = "",
                    .example = "\"quiet\"",
                    .maximum = 1023,
                    .check = check_cmdline},
                   {.name = "network",
                    .type = ValueType::boolean,
                    .doc = "false: no network interface at all.",
                    .fallback = true}}};
}

TableSchema events_table() {
  return {.name = "events",
          .doc = "What happens when the domain ends.",
          .keys = {action("on_poweroff", "When the guest powers off.", "destroy"),
                   action("on_reboot", "When the guest reboots.", "restart"),
                   action("on_crash", "When the guest's kernel crashes.", "destroy")}};
}

TableSchema vif_table() {
  return {.name = "vif",
          .doc = "A network interface; without any there is one, on the settings' bridge.",
          .array = true,
          .keys = {{.name = "bridge",
                    .doc = "The host's bridge.",
                    .default_text = "the settings' bridge",
                    .example = "\"xenbr0\"",
                    .check = check_by(check_bridge)},
                   {.name = "script",
                    .doc = "The script of /etc/xen/scripts that connects it.",
                    .default_text = "xl's own, vif-bridge",
                    .example = "\"vif-route\"",
                    .check = check_by(check_vif_script)},
                   {.name = "rate",
                    .doc = "A limit of what it sends.",
                    .default_text = "no limit",
                    .example = "\"100Mb/s\"",
                    .check = check_by(parse_vif_rate)}}};
}

void check_whole(const Document& document, Problems& problems) {
  const auto& domain = document.root().table("domain");
  if (domain.has("memory") && domain.has("maxmem") && domain.integer("maxmem") < domain.integer("memory")) {
    problems.add(domain.value_place("maxmem"), "maxmem is less than memory", "at least as much as memory");
  }
  const auto& vifs = document.root().tables("vif");
  if (domain.has("network") && !domain.boolean("network") && !vifs.empty()) {
    problems.add(vifs.front().place(), "a [[vif]] in a template with network = false", "take out this or that line");
  }
}

}  // namespace

const Schema& template_schema() {
  static const Schema schema{
      .title = "template",
      .root =
          {.keys = {{.name = "schema",
                     .type = ValueType::integer,
                     .doc = "The version of this format.",
                     .fallback = std::int64_t{1},
                     .minimum = 1,
                     .maximum = 1},
                    {.name = "description", .doc = "One line for `template list`.", .fallback = "", .maximum = 200}},
           .tables = {domain_table(), events_table(), vif_table()}},
      .check = check_whole};
  return schema;
}

}  // namespace domsmith
