#include "hypervisor/answer/answer.h"

#include "hypervisor/answer/answer_schema.h"
#include "imagebuild/recipe/document.h"

namespace domsmith {
namespace {

std::uint64_t bytes_of(const DocumentTable& table, std::string_view key) {
  return static_cast<std::uint64_t>(table.integer(key));
}

AnswerXen xen_of(const DocumentTable& table) {
  return {.dom0_memory = bytes_of(table, "dom0-memory"),
          .dom0_vcpus = static_cast<unsigned>(table.integer("dom0-vcpus")),
          .serial = table.string("serial"),
          .guest_cpus = table.string("guest-cpus"),
          .options = table.string("options"),
          .dom0_options = table.string("dom0-options")};
}

AnswerStorage storage_of(const DocumentTable& root) {
  const auto& table = root.table("storage");
  AnswerStorage storage{.disks = {},
                        .wipe = table.string("wipe") == "named" ? WipePolicy::named : WipePolicy::empty,
                        .raid1 = root.tables("disk").size() == 2,
                        .volume_group = table.string("volume-group"),
                        .pool = table.string("pool"),
                        .slot = bytes_of(table, "slot"),
                        .state = bytes_of(table, "state"),
                        .pool_size = table.has("pool-size") ? bytes_of(table, "pool-size") : 0};
  for (const auto& disk : root.tables("disk")) {
    storage.disks.push_back({.size_text = disk.string("size"),
                             .size = parse_size_range(disk.string("size")).value_or(SizeRange{}),
                             .bus = disk.string("bus"),
                             .model = disk.string("model"),
                             .serial = disk.string("serial"),
                             .wwn = disk.string("wwn")});
  }
  return storage;
}

AnswerNetwork network_of(const DocumentTable& table) {
  return {.name = table.string("bridge"),
          .macs = table.strings("macs"),
          .bond_mode = table.strings("macs").size() > 1 ? table.string("bond") : "",
          .vlan = static_cast<unsigned>(table.integer("vlan")),
          .dhcp = table.strings("addresses").empty(),
          .addresses = table.strings("addresses"),
          .gateways = table.strings("gateways"),
          .dns = table.strings("dns")};
}

AnswerGuests guests_of(const DocumentTable& table) {
  return {.image = table.string("image"),
          .name = table.string("name"),
          .count = static_cast<unsigned>(table.integer("count")),
          .domain_template = table.string("template"),
          .autostart = table.boolean("autostart")};
}

Answer answer_of(const Document& document) {
  const auto& root = document.root();
  const auto& host = root.table("host");
  Answer answer{
      .file = document.file(),
      .host = {.name = host.string("name"),
               .ssh_keys = host.strings("ssh-keys"),
               .console_password = host.has("console-password") ? host.string("console-password") : std::string()},
      .xen = xen_of(root.table("xen")),
      .storage = storage_of(root),
      .networks = {},
      .recipes = root.table("images").strings("recipes"),
      .guests = {},
      .report = root.table("report").string("url"),
      .finish = root.string("finish") == "poweroff" ? AnswerFinish::poweroff : AnswerFinish::reboot};
  for (const auto& network : root.tables("network")) {
    answer.networks.push_back(network_of(network));
  }
  for (const auto& guests : root.tables("guest")) {
    answer.guests.push_back(guests_of(guests));
  }
  return answer;
}

}  // namespace

Result<Answer> parse_answer(std::string_view text, std::string file) {
  return answer_of(TRY(read_document(text, std::move(file), answer_schema())));
}

Result<Answer> load_answer(const std::filesystem::path& path) {
  return answer_of(TRY(load_document(path.string(), answer_schema())));
}

}  // namespace domsmith
