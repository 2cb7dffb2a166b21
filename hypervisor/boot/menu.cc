#include "hypervisor/boot/menu.h"

#include <fmt/format.h>

#include <algorithm>

#include "hypervisor/init/root.h"

namespace domsmith {
namespace {

// The installer unpacks and copies; an installed dom0 has what the answer file says.
constexpr std::uint64_t medium_memory = 384ULL << 20;
// An installation has the machine for itself; more than these have nothing to do (xen-command-line, dom0_max_vcpus).
constexpr const char* medium_vcpus = "1-4";

// A PV dom0 sets memory aside for DMA to pages that do not lie side by side in the machine: 64 MiB, a quarter of what a
// dom0 of ours has, and each start clears it. A sixteenth of dom0's memory, in slabs of 2 KiB (kernel-parameters.rst,
// swiotlb); what a device cannot map at once it asks for again.
std::uint64_t bounce_slabs(std::uint64_t dom0_memory) {
  constexpr std::uint64_t slab = 2048;
  return std::clamp<std::uint64_t>(dom0_memory / 16, 16ULL << 20, 64ULL << 20) / slab;
}

std::string linux_words(const AnswerXen& xen, const std::string& more) {
  std::string text = "console=tty0 console=hvc0 " + more;
  if (!xen.dom0_options.empty()) {
    text += " " + xen.dom0_options;
  }
  return text;
}

// One serial port for GRUB, Xen and dom0 alike; where the machine has none, GRUB says so and goes on.
std::string terminals(const AnswerXen& xen) {
  if (xen.serial == "none") {
    return {};
  }
  return fmt::format("serial --unit={} --speed=115200\nterminal_input console serial\nterminal_output console serial\n",
                     xen.serial == "com2" ? 1 : 0);
}

std::string entry(const std::string& title, const std::string& id, const std::string& place, const std::string& xen,
                  const std::string& words) {
  return fmt::format(
      "menuentry '{0}' --id {1} {{\n"
      "  echo 'Xen, kernel and initramfs ...'\n"
      "  multiboot2 {2}/boot/xen.gz {3}\n"
      "  module2 {2}/boot/kernel {4}\n"
      "  module2 --nounzip {2}/boot/initrd.img\n"
      "}}\n",
      title, id, place, xen, words);
}

// "console=com1,vga com1=115200,8n1 dom0_mem=256M,max:256M …": what the Xen project advises for a dom0 of fixed size.
std::string xen_words(const AnswerXen& xen, const std::string& vcpus) {
  const std::uint64_t mib = xen.dom0_memory >> 20;
  std::string text = xen.serial == "none" ? "console=vga" : fmt::format("console={0},vga {0}=115200,8n1", xen.serial);
  text += fmt::format(" dom0_mem={0}M,max:{0}M dom0_max_vcpus={1} ucode=scan loglvl=warning guest_loglvl=warning", mib,
                      vcpus);
  return xen.options.empty() ? text : text + " " + xen.options;
}

}  // namespace

std::string medium_menu(const MediumMenu& menu) {
  AnswerXen xen = menu.xen;
  xen.dom0_memory = std::max(xen.dom0_memory, medium_memory);
  const std::string words = xen_words(xen, medium_vcpus);
  const auto live_words = [&](const std::string& more) { return linux_words(xen, "domsmith.live" + more); };
  // Nothing runs beside an installation that it would have to be protected from.
  const std::string alone = words + " spec-ctrl=no";
  const auto install_words = [&](const std::string& more) {
    return live_words(" mitigations=off domsmith.install=" + more);
  };
  std::string text = terminals(xen);
  text +=
      fmt::format("set default={}\nset timeout={}\n", menu.has_answer ? "unattended" : "ask", menu.has_answer ? 5 : 30);
  text += "loopback slot /domsmith/slot.squashfs\n";
  if (menu.has_answer) {
    text += entry("Install this machine as the answer file says", "unattended", "(slot)", alone, install_words("auto"));
  }
  text += entry("Install this machine: questions on the screen and on the serial port", "ask", "(slot)", alone,
                install_words("ask"));
  text += entry("Install with an answer file of the partition DOMSMITH", "install", "(slot)", alone,
                install_words("auto domsmith.answer=partition"));
  text += entry("Live shell: Xen without installing", "live", "(slot)", words, live_words(""));
  text += entry("Rescue: a shell, nothing is activated", "rescue", "(slot)", words,
                live_words(" systemd.unit=rescue.target systemd.setenv=SYSTEMD_SULOGIN_FORCE=1"));
  text +=
      "menuentry 'Start from the first disk' --id disk {\n"
      "  if [ \"$grub_platform\" = efi ]; then exit; fi\n"
      // A stick that a BIOS starts is its first disk.
      "  set disk=hd0\n  if [ -e (hd0)/domsmith/medium.json ]; then set disk=hd1; fi\n"
      "  set root=$disk\n  chainloader +1\n}\n";
  return text;
}

std::string host_menu(const HostMenu& menu) {
  const auto volume = [&](const std::string& slot) {
    return fmt::format("(lvm/{})", host_init::mapper_name(menu.volume_group, "slot-" + slot));
  };
  const auto words = [&](const std::string& slot) {
    // Warnings and errors come to the console, the rest to the journal: a line there costs the machine a millisecond.
    return linux_words(menu.xen, fmt::format("loglevel=4 swiotlb={} panic=10 domsmith.group={} domsmith.slot={}",
                                             bounce_slabs(menu.xen.dom0_memory), menu.volume_group, slot));
  };
  std::string text = terminals(menu.xen);
  text +=
      "set timeout=3\nset slot=a\nset try=\nload_env\n"
      "set default=\"slot-$slot\"\n"
      "if [ -n \"$try\" ]; then\n  set default=\"slot-$try\"\n  set try=\n  save_env try\nfi\n";
  for (const char* slot : {"a", "b"}) {
    text += entry(fmt::format("Slot {}", slot), fmt::format("slot-{}", slot), volume(slot),
                  xen_words(menu.xen, std::to_string(menu.xen.dom0_vcpus)), words(slot));
  }
  return text;
}

}  // namespace domsmith
