#include "tests/unit/registry/registry_support.h"

#include "provision/registry/names.h"

namespace domsmith {

ImageRecord test_image(const std::string& name, const std::string& operation) {
  return {.name = name,
          .version = "1",
          .store = kStore,
          .volume = name,
          .distribution = "debian",
          .release = "bookworm",
          .architecture = "amd64",
          .size = 2ULL << 30,
          .used = 300ULL << 20,
          .created = StoppedClock().now(),
          .kernel_sha256 = std::string(64, 'a'),
          .initrd_sha256 = std::string(64, 'b'),
          .kernel_version = "6.1.0-38-amd64",
          .cmdline = "root=/dev/xvda ro console=hvc0",
          .recipe_sha256 = std::string(64, 'c'),
          .filesystem_uuid = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
          .packages = 210,
          .operation = operation};
}

GuestRequest test_request(const std::string& name, const std::string& image) {
  return {.name = name, .image = image, .store = kStore, .template_name = "small"};
}

std::vector<GuestRequest> test_requests(const std::string& name, std::uint32_t count) {
  std::vector<GuestRequest> requests;
  for (const auto& each : value_of(guest_names(name, count))) {
    requests.push_back(test_request(each));
  }
  return requests;
}

ReserveOptions test_options(const std::string& operation) {
  return {.operation = operation, .make_identity = [](const GuestRequest& request, std::span<const std::string> macs) {
            return make_identity(request.name, macs, {.network = request.network}, system_random());
          }};
}

void add_image(Registry& registry, const std::string& name) {
  value_of(registry.reserve_image(test_image(name, "build-of-" + name)));
  value_of(registry.complete_image(test_image(name, "build-of-" + name)));
}

std::vector<GuestRecord> add_guests(Registry& registry, const std::string& name, std::uint32_t count) {
  const auto operation = "clone-of-" + name;
  value_of(registry.reserve_guests(test_requests(name, count), test_options(operation)));
  value_of(registry.complete_guests(operation));
  return value_of(registry.list_guests({.pattern = name + "*"}));
}

std::vector<std::string> names_of(const std::vector<GuestRecord>& guests) {
  std::vector<std::string> names;
  for (const auto& guest : guests) {
    names.push_back(guest.name);
  }
  return names;
}

}  // namespace domsmith
