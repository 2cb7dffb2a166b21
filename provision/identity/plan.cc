#include "provision/identity/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/text.h"
#include "provision/identity/network_files.h"
#include "provision/identity/openssh_key.h"
#include "provision/identity/secret_bytes.h"

namespace domsmith {
namespace {

constexpr std::string_view kOwnAddress = "127.0.1.1";  // Debian Reference, 5.1.1: the host's own name
constexpr std::string_view kHosts =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n";

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line.substr(0, line.find('#')));
  std::vector<std::string> words;
  for (std::string word; stream >> word;) {
    words.push_back(word);
  }
  return words;
}

// The image's domain, where its own line has one, stays.
std::string own_line(const std::vector<std::string>& old_words, const std::string& hostname) {
  if (old_words.size() > 1) {
    if (const auto dot = old_words[1].find('.'); dot != std::string::npos) {
      return fmt::format("{}\t{}{} {}", kOwnAddress, hostname, old_words[1].substr(dot), hostname);
    }
  }
  return fmt::format("{}\t{}", kOwnAddress, hostname);
}

std::string hosts_text(const std::string& image_hosts, const std::string& hostname) {
  auto lines = split_lines(image_hosts);
  const auto is_own = [](const std::string& line) {
    const auto words = words_of(line);
    return !words.empty() && words.front() == kOwnAddress;
  };
  if (const auto first = std::ranges::find_if(lines, is_own); first != lines.end()) {
    *first = own_line(words_of(*first), hostname);
    lines.erase(std::remove_if(first + 1, lines.end(), is_own), lines.end());
  } else {
    const auto localhost = std::ranges::find_if(lines, [](const std::string& line) {
      const auto words = words_of(line);
      return !words.empty() && words.front() == "127.0.0.1";
    });
    lines.insert(localhost == lines.end() ? lines.begin() : localhost + 1, own_line({}, hostname));
  }
  return join(lines, "\n") + "\n";
}

std::string authorized_keys_text(const std::string& image_keys, const std::vector<std::string>& keys) {
  auto text = image_keys;
  auto present = split_lines(image_keys);
  text += text.empty() || text.ends_with('\n') ? "" : "\n";
  for (const auto& key : keys) {
    if (std::ranges::find(present, key) == present.end()) {
      present.push_back(key);
      text += key + "\n";
    }
  }
  return text;
}

void plan_ssh(const ImageFacts& facts, const Identity& identity, IdentityPlan& plan) {
  constexpr std::string_view kKey = "/etc/ssh/ssh_host_ed25519_key";
  const auto public_file = fmt::format("{}.pub", kKey);
  for (const auto& key : facts.host_keys) {
    if (!facts.openssh || (key != kKey && key != public_file)) {
      plan.remove.push_back(key);
    }
  }
  if (facts.openssh) {
    const auto seed = secret_of_hex(identity.host_key_seed);
    plan.files.push_back({.path = std::string(kKey),
                          .bytes = openssh_private_key(seed, "root@" + identity.hostname),
                          .mode = 0600,
                          .secret = true});
    plan.files.push_back({.path = public_file, .bytes = host_public_key(identity) + "\n"});
  }
  if (!identity.authorized_keys.empty()) {
    plan.files.push_back({.path = "/root/.ssh", .type = PlannedFile::Type::directory, .mode = 0700});
    plan.files.push_back({.path = "/root/.ssh/authorized_keys",
                          .bytes = authorized_keys_text(facts.authorized_keys.value_or(""), identity.authorized_keys),
                          .mode = 0600});
  }
}

// systemd-random-seed(8): clones of one image must not start from the same seed. The kernel mixes it in without
// counting it as entropy, so that the same one after a reset does no harm.
void plan_seeds(const ImageFacts& facts, const Identity& identity, IdentityPlan& plan) {
  constexpr std::size_t kSeedBytes = 512;
  const auto seed = [&](const char* path) {
    plan.files.push_back(
        {.path = path, .bytes = expand_secret(identity.entropy, path, kSeedBytes), .mode = 0600, .secret = true});
  };
  if (facts.systemd) {
    seed("/var/lib/systemd/random-seed");
  }
  if (facts.urandom_seed) {
    seed("/var/lib/urandom/random-seed");
  }
}

std::string file_text(const PlannedFile& file) {
  switch (file.type) {
    case PlannedFile::Type::directory:
      return fmt::format("folder {} {:04o}\n", file.path, file.mode);
    case PlannedFile::Type::symlink:
      return fmt::format("link   {} -> {}\n", file.path, file.bytes);
    case PlannedFile::Type::regular:
      break;
  }
  auto text = fmt::format("write  {} {:04o}\n", file.path, file.mode);
  if (file.secret) {
    return text + fmt::format("    (secret, {} bytes)\n", file.bytes.size());
  }
  for (const auto& line : split_lines(file.bytes)) {
    text += line.empty() ? "\n" : fmt::format("    {}\n", line);
  }
  return text;
}

}  // namespace

IdentityPlan plan_identity(const ImageFacts& facts, const Identity& identity) {
  IdentityPlan plan;
  plan.files.push_back({.path = "/etc/hostname", .bytes = identity.hostname + "\n"});
  plan.files.push_back(
      {.path = "/etc/hosts", .bytes = hosts_text(facts.hosts.value_or(std::string(kHosts)), identity.hostname)});
  plan.files.push_back({.path = "/etc/machine-id", .bytes = identity.machine_id + "\n", .mode = 0444});
  if (facts.dbus_machine_id) {
    plan.files.push_back({.path = "/var/lib/dbus/machine-id",
                          .type = PlannedFile::Type::symlink,
                          .bytes = "/etc/machine-id",
                          .mode = 0777});
  }
  plan_ssh(facts, identity, plan);
  std::ranges::move(network_files(facts, identity), std::back_inserter(plan.files));
  plan_seeds(facts, identity, plan);
  plan.remove.insert(plan.remove.end(), facts.leftovers.begin(), facts.leftovers.end());
  if (facts.network == NetworkSystem::none && !identity.macs.empty()) {
    plan.notes.emplace_back(
        "the image has no network system that is known (netplan, NetworkManager, ifupdown, systemd-networkd): its "
        "interfaces stay as the image leaves them");
  }
  // systemd-networkd(8) hands the servers of a lease to systemd-resolved, and to nobody else.
  if (facts.network == NetworkSystem::networkd && facts.no_name_servers && !identity.macs.empty() &&
      !identity.network) {
    plan.notes.emplace_back(
        "the image has systemd-networkd without systemd-resolved: by DHCP its clones get addresses, but no name "
        "servers; add systemd-resolved to its recipe, or a [[file]] with path = \"/etc/resolv.conf\"");
  }
  if (facts.cloud_init) {
    plan.notes.emplace_back("the image has cloud-init, which may give the guest another identity when it boots");
  }
  return plan;
}

std::string plan_text(const IdentityPlan& plan) {
  std::string text;
  for (const auto& path : plan.remove) {
    text += fmt::format("remove {}\n", path);
  }
  for (const auto& file : plan.files) {
    text += file_text(file);
  }
  for (const auto& note : plan.notes) {
    text += fmt::format("note: {}\n", note);
  }
  return text;
}

}  // namespace domsmith
