#include "hypervisor/answer/inventory.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "provision/cli/table.h"

namespace domsmith {
namespace {

using nlohmann::json;

// nlohmann throws with a JSON pointer to the member in its text; the caller turns that into an Error.
std::vector<Signature> signatures_of(const json& array) {
  std::vector<Signature> holds;
  for (const json& one : array) {
    holds.push_back({.type = one.at("type").get<std::string>(), .name = one.value("name", "")});
  }
  return holds;
}

InventoryDisk disk_of(const json& one) {
  InventoryDisk disk{.path = one.at("path").get<std::string>(),
                     .size = one.at("size").get<std::uint64_t>(),
                     .bus = one.value("bus", ""),
                     .model = trimmed(one.value("model", "")),
                     .serial = trimmed(one.value("serial", "")),
                     .wwn = one.value("wwn", ""),
                     .read_only = one.value("read_only", false),
                     .removable = one.value("removable", false),
                     .unfinished = one.value("unfinished", false),
                     .holds = signatures_of(one.at("holds")),
                     .partitions = {}};
  for (const json& part : one.at("partitions")) {
    disk.partitions.push_back({.path = part.at("path").get<std::string>(),
                               .size = part.at("size").get<std::uint64_t>(),
                               .holds = signatures_of(part.at("holds"))});
  }
  return disk;
}

Inventory inventory_of(const json& document) {
  Inventory inventory{.uefi = document.at("firmware").get<std::string>() == "uefi",
                      .memory = document.at("memory").get<std::uint64_t>(),
                      .disks = {},
                      .cards = {}};
  for (const json& disk : document.at("disks")) {
    inventory.disks.push_back(disk_of(disk));
  }
  for (const json& card : document.at("network")) {
    inventory.cards.push_back({.name = card.at("name").get<std::string>(), .mac = card.at("mac").get<std::string>()});
  }
  return inventory;
}

json signatures_json(const std::vector<Signature>& holds) {
  json array = json::array();
  for (const Signature& one : holds) {
    array.push_back({{"type", one.type}, {"name", one.name}});
  }
  return array;
}

std::string signatures_text(const std::vector<Signature>& holds) {
  std::vector<std::string> words;
  words.reserve(holds.size());
  for (const Signature& one : holds) {
    words.push_back(one.name.empty() ? one.type : fmt::format("{} {}", one.type, printable(one.name)));
  }
  return join(words, ", ");
}

}  // namespace

Result<Inventory> parse_inventory(std::string_view text, std::string_view file) {
  try {
    const json document = json::parse(text);
    if (document.value("schema", 0) != 1) {
      return fail(ErrorCode::bad_input, fmt::format("{} is no inventory of schema 1", file),
                  "docs/answer-file.md says what one looks like");
    }
    return inventory_of(document);
  } catch (const json::exception& fault) {
    return fail(ErrorCode::bad_input, fmt::format("{} is no inventory: {}", file, printable(fault.what())),
                "docs/answer-file.md says what one looks like");
  }
}

json inventory_json(const Inventory& inventory) {
  json document{{"schema", 1},
                {"firmware", inventory.uefi ? "uefi" : "bios"},
                {"memory", inventory.memory},
                {"disks", json::array()},
                {"network", json::array()}};
  for (const InventoryDisk& disk : inventory.disks) {
    json parts = json::array();
    for (const InventoryPartition& part : disk.partitions) {
      parts.push_back({{"path", part.path}, {"size", part.size}, {"holds", signatures_json(part.holds)}});
    }
    document["disks"].push_back({{"path", disk.path},
                                 {"size", disk.size},
                                 {"bus", disk.bus},
                                 {"model", disk.model},
                                 {"serial", disk.serial},
                                 {"wwn", disk.wwn},
                                 {"read_only", disk.read_only},
                                 {"removable", disk.removable},
                                 {"unfinished", disk.unfinished},
                                 {"holds", signatures_json(disk.holds)},
                                 {"partitions", parts}});
  }
  for (const InventoryCard& card : inventory.cards) {
    document["network"].push_back({{"name", card.name}, {"mac", card.mac}});
  }
  return document;
}

std::string disk_text(const InventoryDisk& disk) {
  std::vector<std::string> words{printable(disk.path), size_text(disk.size)};
  for (const std::string& word : {disk.bus, disk.model}) {
    if (!word.empty()) {
      words.push_back(printable(word));
    }
  }
  if (!disk.serial.empty()) {
    words.push_back("serial " + printable(disk.serial));
  }
  if (!disk.wwn.empty()) {
    words.push_back("wwn " + printable(disk.wwn));
  }
  return join(words, ", ");
}

std::string holdings_text(const InventoryDisk& disk) {
  std::vector<std::string> parts;
  if (!disk.holds.empty()) {
    parts.push_back(signatures_text(disk.holds));
  }
  for (const InventoryPartition& part : disk.partitions) {
    const std::string holds = signatures_text(part.holds);
    parts.push_back(fmt::format("{} {}", printable(part.path), holds.empty() ? "without a signature" : holds));
  }
  return parts.empty() ? "nothing" : join(parts, "; ");
}

}  // namespace domsmith
