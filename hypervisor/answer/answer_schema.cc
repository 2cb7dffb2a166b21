#include "hypervisor/answer/answer_schema.h"

#include "hypervisor/answer/answer_checks.h"
#include "imagebuild/recipe/checks.h"

namespace domsmith {
namespace {

constexpr std::int64_t mib = 1 << 20;
constexpr std::int64_t gib = 1 << 30;

KeySchema volume_size(std::string name, std::string doc, std::int64_t fallback, std::int64_t least) {
  return {.name = std::move(name),
          .type = ValueType::size,
          .doc = std::move(doc),
          .fallback = fallback,
          .minimum = least,
          .maximum = 1024 * gib,
          .multiple = 4 * mib};  // LVM's extent
}

TableSchema host_table() {
  return {.name = "host",
          .doc = "The host itself.",
          .required = true,
          .keys = {{.name = "name",
                    .doc = "Its host name.",
                    .required = true,
                    .example = "\"xen1\"",
                    .check = spelling::host_name},
                   {.name = "ssh-keys",
                    .type = ValueType::string_list,
                    .doc = "Public keys that may log in as root.",
                    .fallback = StringList{},
                    .example = "[\"ssh-ed25519 AAAA… you@home\"]",
                    .check = answer_checks::ssh_key},
                   {.name = "console-password",
                    .doc = "A hash of crypt(5) for root on the console; without one only the network lets in.",
                    .example = "\"$y$j9T$…\"",
                    .check = spelling::password}}};
}

TableSchema xen_table() {
  return {.name = "xen",
          .doc = "The hypervisor and its first domain.",
          .keys = {
              {.name = "dom0-memory",
               .type = ValueType::size,
               .doc = "Memory of dom0, fixed.",
               .fallback = 256 * mib,
               .minimum = 192 * mib,
               .maximum = 64 * gib,
               .multiple = mib},
              {.name = "dom0-vcpus",
               .type = ValueType::integer,
               .doc = "Virtual CPUs of dom0.",
               .fallback = std::int64_t{1},
               .minimum = 1,
               .maximum = 64},
              {.name = "serial", .doc = "The serial console.", .fallback = "com1", .choices = {"com1", "com2", "none"}},
              {.name = "guest-cpus",
               .doc = "The physical CPUs that guests may run on; \"all,^0\" leaves the first one to dom0.",
               .default_text = "any",
               .example = "\"all,^0\"",
               .check = answer_checks::cpu_list},
              {.name = "options",
               .doc = "More words for Xen's command line.",
               .fallback = "",
               .example = "\"iommu=force\"",
               .check = spelling::cmdline},
              {.name = "dom0-options",
               .doc = "More words for the command line of dom0's kernel.",
               .fallback = "",
               .check = spelling::cmdline}}};
}

TableSchema disk_table() {
  return {
      .name = "disk",
      .doc = "Where to install; a second one makes RAID 1. All that is said must fit, and fit one disk only.",
      .array = true,
      .keys = {
          {.name = "serial",
           .doc = "Its serial number, whole.",
           .default_text = "any",
           .example = "\"S3Z8NB0K123456\"",
           .maximum = 128},
          {.name = "wwn",
           .doc = "Its World Wide Name.",
           .default_text = "any",
           .example = "\"0x5002538e40a1b2c3\"",
           .maximum = 128},
          {.name = "model", .doc = "Its model; '*' and '?' as in file names.", .default_text = "any", .maximum = 128},
          {.name = "bus",
           .doc = "How it is attached.",
           .default_text = "any",
           .choices = {"nvme", "sata", "sas", "scsi", "virtio", "mmc", "usb", "xen"}},
          {.name = "size",
           .doc = "Its size: about so much, at least, at most, or between.",
           .default_text = "any",
           .example = "\">= 100GiB\"",
           .check = answer_checks::size_range}}};
}

TableSchema storage_table() {
  return {.name = "storage",
          .doc = "What is made on the disks.",
          .keys = {{.name = "wipe",
                    .doc = "empty: only an empty disk is taken; named: what is on a disk whose serial number or WWN "
                           "stands in this file is erased.",
                    .fallback = "empty",
                    .choices = {"empty", "named"}},
                   {.name = "volume-group",
                    .doc = "The LVM volume group.",
                    .fallback = "vg0",
                    .maximum = 64,
                    .check = answer_checks::volume_name},
                   {.name = "pool",
                    .doc = "Its thin pool, where images and guests live.",
                    .fallback = "pool",
                    .maximum = 64,
                    .check = answer_checks::volume_name},
                   volume_size("slot", "Each of the two slots that hold the system.", 256 * mib, 64 * mib),
                   volume_size("state", "The host's own /etc and /var/lib.", gib, 256 * mib),
                   {.name = "pool-size",
                    .type = ValueType::size,
                    .doc = "The thin pool.",
                    .default_text = "all that is left",
                    .minimum = 256 * mib,
                    .multiple = 4 * mib}}};
}

TableSchema network_table() {
  return {.name = "network",
          .doc = "A bridge, its network cards and the host's addresses on it; without any: xenbr0 with DHCP.",
          .array = true,
          .keys = {{.name = "bridge",
                    .doc = "The bridge that guests are put on.",
                    .fallback = "xenbr0",
                    .check = answer_checks::bridge},
                   {.name = "macs",
                    .type = ValueType::string_list,
                    .doc = "Its network cards; more than one are a bond. Without: the only card there is.",
                    .fallback = StringList{},
                    .example = "[\"3c:ec:ef:01:02:03\"]",
                    .maximum = 17,
                    .check = answer_checks::mac},
                   {.name = "bond",
                    .doc = "How several cards work together; 802.3ad is LACP.",
                    .fallback = "802.3ad",
                    .choices = {"802.3ad", "active-backup"}},
                   {.name = "vlan",
                    .type = ValueType::integer,
                    .doc = "The VLAN of the host and its guests on this bridge; 0 is untagged.",
                    .fallback = std::int64_t{0},
                    .minimum = 0,
                    .maximum = 4094},
                   {.name = "addresses",
                    .type = ValueType::string_list,
                    .doc = "Fixed addresses; without any the host asks DHCP.",
                    .fallback = StringList{},
                    .example = "[\"192.0.2.10/24\", \"2001:db8::10/64\"]",
                    .check = answer_checks::address_with_prefix},
                   {.name = "gateways",
                    .type = ValueType::string_list,
                    .doc = "Routers, with fixed addresses.",
                    .fallback = StringList{},
                    .example = "[\"192.0.2.1\"]",
                    .check = answer_checks::address},
                   {.name = "dns",
                    .type = ValueType::string_list,
                    .doc = "Name servers.",
                    .fallback = StringList{},
                    .check = answer_checks::address}}};
}

TableSchema guest_table() {
  return {.name = "guest",
          .doc = "Guests that are cloned and started at the first boot.",
          .array = true,
          .keys = {{.name = "image",
                    .doc = "The golden image: one of [images].",
                    .required = true,
                    .example = "\"debian-ssh\"",
                    .check = spelling::object_name},
                   {.name = "name",
                    .doc = "NAME for one guest, NAME-1 to NAME-N for several.",
                    .required = true,
                    .example = "\"web\"",
                    .check = spelling::object_name},
                   {.name = "count",
                    .type = ValueType::integer,
                    .doc = "How many.",
                    .fallback = std::int64_t{1},
                    .minimum = 1,
                    .maximum = 10'000},
                   {.name = "template",
                    .doc = "Memory, CPUs and kind of domain.",
                    .fallback = "small",
                    .check = spelling::object_name},
                   {.name = "autostart",
                    .type = ValueType::boolean,
                    .doc = "Started with the host from then on.",
                    .fallback = true}}};
}

}  // namespace

const Schema& answer_schema() {
  static const Schema schema{
      .title = "answer file",
      .root =
          {.keys = {{.name = "schema",
                     .type = ValueType::integer,
                     .doc = "The version of this format.",
                     .fallback = std::int64_t{1},
                     .minimum = 1,
                     .maximum = 1},
                    {.name = "finish",
                     .doc = "What happens behind the last step.",
                     .fallback = "reboot",
                     .choices = {"reboot", "poweroff"}}},
           .tables = {host_table(),
                      xen_table(),
                      disk_table(),
                      storage_table(),
                      network_table(),
                      {.name = "images",
                       .doc = "Golden images of the first boot.",
                       .keys = {{.name = "recipes",
                                 .type = ValueType::string_list,
                                 .doc = "Recipes: names of shipped ones, or files beside this one.",
                                 .fallback = StringList{},
                                 .example = "[\"debian-ssh\"]"}}},
                      guest_table(),
                      {.name = "report",
                       .doc = "Who is told.",
                       .keys = {{.name = "url",
                                 .doc = "Gets a JSON document by POST at the start, at each step, at the end, and when "
                                        "something fails.",
                                 .default_text = "nobody",
                                 .example = "\"http://install.example.net/report\"",
                                 .check = answer_checks::url}}}}},
      .check = answer_checks::whole};
  return schema;
}

}  // namespace domsmith
