// /init of the hypervisor, as far as it decides something.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "hypervisor/init/devices.h"
#include "hypervisor/init/root.h"
#include "hypervisor/init/signature.h"

namespace domsmith::host_init {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HostInit, TheCommandLineSaysWhatToMount) {
  const auto installed = read_wanted("console=hvc0 domsmith.group=vg0 domsmith.slot=b quiet");
  ASSERT_TRUE(installed);
  EXPECT_FALSE(installed->live);
  EXPECT_EQ(installed->group, "vg0");
  EXPECT_EQ(installed->slot, "b");
  EXPECT_TRUE(read_wanted("domsmith.live domsmith.install=auto")->live);
  for (const char* bad : {"", "domsmith.slot=a", "domsmith.group=vg0", "domsmith.group=vg0 domsmith.slot=c",
                          "domsmith.group=-x domsmith.slot=a", "domsmith.group=../x domsmith.slot=a"}) {
    EXPECT_FALSE(read_wanted(bad)) << bad;
  }
}

TEST(HostInit, DashesOfNamesAreDoubledByDeviceMapper) {
  EXPECT_EQ(mapper_path("vg0", "slot-a"), "/dev/mapper/vg0-slot--a");
  EXPECT_EQ(mapper_path("my-vg", "state"), "/dev/mapper/my--vg-state");
}

TEST(HostInit, DevicesAskForDrivers) {
  const auto drivers = read_drivers("pci:v00001AF4d* /a.ko /b.ko\npci:v00008086d* /a.ko /c.ko\n\nlonely\n");
  ASSERT_EQ(drivers.size(), 2U);
  const auto of_virtio = ElementsAre("/a.ko", "/b.ko");
  EXPECT_THAT(wanted_drivers(drivers, {"pci:v00001AF4d00001001sv"}, {}), ElementsAre(of_virtio));
  EXPECT_THAT(wanted_drivers(drivers, {"pci:v00001AF4d1", "pci:v00008086d1", "pci:v00001AF4d2"}, {"/c.ko"}),
              ElementsAre(of_virtio));
  EXPECT_THAT(wanted_drivers(drivers, {"usb:v1"}, {}), IsEmpty());
}

TEST(HostInit, ADiskIsKnownByItsLabelsAndSuperblocks) {
  auto work = TemporaryDirectory::make();
  ASSERT_TRUE(work);
  const auto disk = work->path() / "disk";
  const auto with = [&](std::size_t at, std::string_view bytes) {
    std::string text(1 << 20 | 3 << 10, '\0');  // no multiple of what superblocks at the end are aligned to
    text.replace(at, bytes.size(), bytes);
    EXPECT_TRUE(write_file_atomic(disk, text));
    return read_signatures(disk.string());
  };
  const std::string label = std::string("LABELONE") + std::string(16, '\1') + "LVM2 001";
  EXPECT_TRUE(with(512, label).volumes);
  EXPECT_FALSE(with(512, label).array_member);
  EXPECT_FALSE(with(2048, label).volumes) << "beyond the fourth sector";
  EXPECT_FALSE(with(512, "LABELONE").volumes);
  constexpr std::string_view md = "\xfc\x4e\x2b\xa9";
  for (const std::size_t at : {0U, 4096U, (1U << 20) - 8192U, (1U << 20) - 65536U}) {
    EXPECT_TRUE(with(at, md).array_member) << at;
    EXPECT_FALSE(with(at, md).volumes) << at;
  }
  EXPECT_FALSE(with(512, md).array_member);
  ASSERT_TRUE(write_file_atomic(disk, "short"));
  EXPECT_FALSE(read_signatures(disk.string()).array_member);
  EXPECT_FALSE(read_signatures("/nonexistent").volumes);
}

TEST(HostInit, ModaliasesAreThoseOfAllBuses) {
  auto work = TemporaryDirectory::make();
  ASSERT_TRUE(work);
  ASSERT_TRUE(write_file_atomic(work->path() / "pci/devices/0000:00:01.0/modalias", "pci:v1\n"));
  ASSERT_TRUE(write_file_atomic(work->path() / "virtio/devices/virtio0/modalias", "virtio:d2v1\n"));
  EXPECT_THAT(modaliases(work->path().string()), ElementsAre("pci:v1", "virtio:d2v1"));
  EXPECT_THAT(modaliases("/nonexistent"), IsEmpty());
}

}  // namespace
}  // namespace domsmith::host_init
