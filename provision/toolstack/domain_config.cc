#include "provision/toolstack/domain_config.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace domsmith {
namespace {

// libxl's structures own their strings and arrays with malloc(3).
char* owned(const std::string& text) {
  char* copy = ::strdup(text.c_str());
  if (copy == nullptr) {
    throw std::bad_alloc();
  }
  return copy;
}
char* owned_or_null(const std::string& text) { return text.empty() ? nullptr : owned(text); }

template <class T>
T* owned_array(std::size_t count) {
  auto* array = static_cast<T*>(std::calloc(count == 0 ? 1 : count, sizeof(T)));
  if (array == nullptr) {
    throw std::bad_alloc();
  }
  return array;
}

libxl_action_on_shutdown action(DomainAction from) {
  switch (from) {
    case DomainAction::destroy:
      return LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
    case DomainAction::restart:
      return LIBXL_ACTION_ON_SHUTDOWN_RESTART;
    case DomainAction::preserve:
      return LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
    case DomainAction::coredump_destroy:
      return LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY;
    case DomainAction::coredump_restart:
      return LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART;
  }
  return LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
}

void fill_disk(libxl_device_disk& disk, const DomainDisk& from) {
  libxl_device_disk_init(&disk);
  disk.pdev_path = owned(from.target);
  disk.vdev = owned(from.vdev);
  disk.format = LIBXL_DISK_FORMAT_RAW;
  disk.readwrite = from.writable ? 1 : 0;
  if (from.phy) {
    disk.backend = LIBXL_DISK_BACKEND_PHY;
  }
}

Result<void> fill_vif(libxl_device_nic& nic, const DomainVif& from, int number, const XlSettings& settings) {
  libxl_device_nic_init(&nic);
  nic.devid = number;
  unsigned octets[6] = {};
  if (std::sscanf(from.mac.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &octets[0], &octets[1], &octets[2], &octets[3],
                  &octets[4], &octets[5]) != 6) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is not a MAC address", from.mac));
  }
  for (std::size_t i = 0; i < 6; ++i) {
    nic.mac[i] = static_cast<std::uint8_t>(octets[i]);
  }
  nic.bridge = owned_or_null(from.bridge.empty() ? settings.vif_bridge : from.bridge);
  nic.script = owned_or_null(from.script.empty() ? settings.vif_script : from.script);
  if (!from.rate.empty()) {
    const auto rate = TRY(parse_vif_rate(from.rate));
    nic.rate_bytes_per_interval = rate.bytes_per_interval;
    nic.rate_interval_usecs = rate.interval_usecs;
  }
  return {};
}

Result<void> fill_devices(libxl_domain_config& config, const DomainSpec& spec, const XlSettings& settings) {
  config.disks = owned_array<libxl_device_disk>(spec.disks.size());
  for (const auto& disk : spec.disks) {
    fill_disk(config.disks[config.num_disks], disk);
    ++config.num_disks;
  }
  config.nics = owned_array<libxl_device_nic>(spec.vifs.size());
  for (const auto& vif : spec.vifs) {
    const int number = config.num_nics;
    ++config.num_nics;  // so that what was filled in is disposed of with the rest
    TRY(fill_vif(config.nics[number], vif, number, settings));
  }
  return {};
}

libxl_tsc_mode tsc_mode(TscMode mode) {
  switch (mode) {
    case TscMode::standard:
      return LIBXL_TSC_MODE_DEFAULT;
    case TscMode::always_emulate:
      return LIBXL_TSC_MODE_ALWAYS_EMULATE;
    case TscMode::native:
      return LIBXL_TSC_MODE_NATIVE;
  }
  return LIBXL_TSC_MODE_DEFAULT;
}

// One mask for each virtual CPU, as xl makes them of xl.conf's.
Result<void> fill_affinity(LibxlContext& libxl, libxl_domain_build_info& build, const CpuSet& cpus) {
  build.vcpu_hard_affinity = owned_array<libxl_bitmap>(static_cast<std::size_t>(build.max_vcpus));
  for (; build.num_vcpu_hard_affinity < build.max_vcpus; ++build.num_vcpu_hard_affinity) {
    libxl_bitmap& mask = build.vcpu_hard_affinity[build.num_vcpu_hard_affinity];
    libxl_bitmap_init(&mask);
    if (const int code = libxl_cpu_bitmap_alloc(libxl.get(), &mask, 0); code != 0) {
      return libxl.failure("cannot make a set of physical CPUs", code);
    }
    for (const unsigned cpu : cpus) {
      libxl_bitmap_set(&mask, static_cast<int>(cpu));  // beyond the host's: passed over
    }
    if (libxl_bitmap_is_empty(&mask) != 0) {
      return fail(ErrorCode::bad_input, "xl.conf leaves no CPU of this host to the guest",
                  "look at vm.cpumask, vm.pv.cpumask and vm.hvm.cpumask in /etc/xen/xl.conf");
    }
  }
  return {};
}

Result<void> fill_build(LibxlContext& libxl, libxl_domain_build_info& build, const DomainSpec& spec,
                        const XlSettings& settings) {
  libxl_domain_build_info_init_type(&build, spec.type == DomainType::pv ? LIBXL_DOMAIN_TYPE_PV : LIBXL_DOMAIN_TYPE_PVH);
  build.target_memkb = spec.memory_mib * kib_per_mib;
  build.max_memkb = spec.maxmem_mib * kib_per_mib;
  build.max_vcpus = static_cast<int>(spec.vcpus);
  const int code = libxl_cpu_bitmap_alloc(libxl.get(), &build.avail_vcpus, static_cast<int>(spec.vcpus));
  if (code != 0) {
    return libxl.failure("cannot make the domain's set of virtual CPUs", code);
  }
  // Bit by bit: libxl_bitmap_set_any() sets the bits up to the end of the last byte, too.
  for (int vcpu = 0; vcpu < build.max_vcpus; ++vcpu) {
    libxl_bitmap_set(&build.avail_vcpus, vcpu);
  }
  if (const auto cpus = settings.cpus_for(spec.type)) {
    TRY(fill_affinity(libxl, build, *cpus));
  }
  build.tsc_mode = tsc_mode(spec.tsc);
  // Memory is claimed before it is filled: too little of it is known at once (xl.conf(5), claim_mode).
  libxl_defbool_set(&build.claim_mode, true);
  build.kernel = owned(spec.kernel);
  build.ramdisk = owned_or_null(spec.ramdisk);
  build.cmdline = owned_or_null(spec.cmdline);
  return {};
}

Result<void> fill(LibxlContext& libxl, libxl_domain_config& config, const DomainSpec& spec,
                  const XlSettings& settings) {
  auto& create = config.c_info;
  create.type = spec.type == DomainType::pv ? LIBXL_DOMAIN_TYPE_PV : LIBXL_DOMAIN_TYPE_PVH;
  create.name = owned(spec.name);
  if (libxl_uuid_from_string(&create.uuid, spec.uuid.c_str()) != 0) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is not a UUID", spec.uuid));
  }
  libxl_defbool_set(&create.run_hotplug_scripts, true);
  TRY(fill_build(libxl, config.b_info, spec, settings));
  TRY(fill_devices(config, spec, settings));
  config.on_poweroff = action(spec.on_poweroff);
  config.on_reboot = action(spec.on_reboot);
  config.on_crash = action(spec.on_crash);
  // xl's defaults. The monitor looks at the spec, which has no such keys.
  config.on_watchdog = LIBXL_ACTION_ON_SHUTDOWN_DESTROY;
  config.on_soft_reset = LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET;
  return {};
}

}  // namespace

void DomainConfigDispose::operator()(libxl_domain_config* config) const {
  libxl_domain_config_dispose(config);
  delete config;
}

Result<DomainConfig> domain_config(LibxlContext& libxl, const DomainSpec& spec, const XlSettings& settings) {
  TRY(validate(spec));
  DomainConfig config(new libxl_domain_config);
  libxl_domain_config_init(config.get());
  try {
    TRY(fill(libxl, *config, spec, settings));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::failed, "no memory left for a domain's description");
  }
  return config;
}

}  // namespace domsmith
