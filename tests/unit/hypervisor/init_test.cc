// /init of the hypervisor, as far as it decides something.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "hypervisor/init/devices.h"
#include "hypervisor/init/root.h"

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
  EXPECT_THAT(wanted_files(drivers, {"pci:v00001AF4d00001001sv"}, {}), ElementsAre("/a.ko", "/b.ko"));
  EXPECT_THAT(wanted_files(drivers, {"pci:v00001AF4d1", "pci:v00008086d1"}, {"/a.ko"}), ElementsAre("/b.ko", "/c.ko"));
  EXPECT_THAT(wanted_files(drivers, {"usb:v1"}, {}), IsEmpty());
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
