// What a clone's identity costs a thin pool: the chunks that differ from the golden image.
#include <gmock/gmock.h>

#include <set>

#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

constexpr std::uint64_t chunk = 64 * 1024;

class CountingTarget final : public BlockTarget {
 public:
  explicit CountingTarget(BlockTarget& inner) : inner_(&inner) {}
  [[nodiscard]] std::uint64_t size() const override { return inner_->size(); }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override { return inner_->read(offset, into); }
  Result<void> write(std::uint64_t offset, std::span<const std::byte> from) override {
    bytes += from.size();
    for (std::uint64_t each = offset / chunk; each <= (offset + from.size() - 1) / chunk; ++each) {
      chunks.insert(each);
    }
    return inner_->write(offset, from);
  }
  Result<void> discard(std::uint64_t offset, std::uint64_t length) override { return inner_->discard(offset, length); }
  Result<void> flush() override { return inner_->flush(); }
  Result<std::optional<ByteRange>> next_data(std::uint64_t offset) override { return inner_->next_data(offset); }
  [[nodiscard]] std::string name() const override { return inner_->name(); }

  std::set<std::uint64_t> chunks;
  std::uint64_t bytes = 0;

 private:
  BlockTarget* inner_;
};

// As debian-minimal with an SSH server has it: folders of network systems that it does not use among them.
void add_debian(TreeWriter& writer) {
  for (int number = 0; number < 3000; ++number) {
    add_file(writer, "usr/share/doc/" + std::to_string(number) + "/copyright", std::string(3000, 'x'));
  }
  for (int number = 0; number < 100; ++number) {
    add_file(writer, "etc/a-file-" + std::to_string(number), "x");
  }
  add_file(writer, "etc/hostname", "golden\n");
  add_file(writer, "etc/hosts", "127.0.0.1 localhost\n");
  add_file(writer, "etc/machine-id", "");
  add_file(writer, "etc/resolv.conf", "");
  add_file(writer, "etc/ssh/sshd_config", "x");
  add_file(writer, "etc/network/interfaces", "source /etc/network/interfaces.d/*\n");
  add_file(writer, "etc/systemd/system/multi-user.target.wants/ssh.service", "");
  add_file(writer, "var/lib/dpkg/status", std::string(300000, 'x'));
  for (const char* path : {"root/.ssh", "etc/network/interfaces.d", "etc/systemd/network", "etc/udev/rules.d",
                           "etc/udev/hwdb.d", "var/lib/dbus", "var/lib/systemd"}) {
    must(writer.entry(directory(path)));
  }
  for (int number = 0; number < 3000; ++number) {
    add_file(writer, "var/lib/dpkg/info/" + std::to_string(number), std::string(1000, 'x'));
  }
}

TEST(CloneCost, IsTwoChunks) {
  Image image(1024 * mib);
  FileSystem fs = image.format();
  TreeWriter writer(fs);
  add_debian(writer);
  must(writer.finish());
  must(fs.close());
  image.expect_clean();

  CountingTarget counting(image.target());
  fs = must(FileSystem::open(counting, Access::read_write));
  must(fs.write_file("etc/hostname", "web-1\n"));
  must(fs.write_file("etc/hosts", "127.0.0.1 localhost\n127.0.1.1 web-1\n"));
  must(fs.write_file("etc/machine-id", "0123456789abcdef0123456789abcdef\n"));
  must(fs.write_file("etc/resolv.conf", "nameserver 10.0.0.1\n"));
  must(fs.write_file("etc/ssh/ssh_host_ed25519_key", std::string(400, 'k'), {.mode = 0600}));
  must(fs.write_file("etc/ssh/ssh_host_ed25519_key.pub", std::string(100, 'k')));
  must(fs.write_file("etc/network/interfaces.d/eth0", "auto eth0\n"));
  must(fs.write_file("root/.ssh/authorized_keys", "ssh-ed25519 AAAA\n", {.mode = 0600}));
  must(fs.write_file("var/lib/systemd/random-seed", std::string(512, 'r'), {.mode = 0600}));
  must(fs.set_uuid(random_uuid()));
  must(fs.close());
  image.expect_clean();
  EXPECT_LE(counting.chunks.size(), 2U) << ::testing::PrintToString(counting.chunks);
  EXPECT_LE(counting.bytes, 128U * 1024);
}

}  // namespace
}  // namespace domsmith::extfs
