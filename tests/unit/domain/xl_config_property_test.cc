// Random domains: what validates is written, read by libxlutil and found the same; what does not is refused, and either
// way no word of a value becomes a word of the config.
#include <gtest/gtest.h>

#include <random>

#include "provision/domain/config_keys.h"
#include "provision/domain/xl_config.h"
#include "sample_spec.h"

namespace domsmith {
namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine_); }
  bool coin() { return below(2) == 0; }
  std::string text(std::string_view alphabet, std::size_t least, std::size_t most) {
    std::string out(least + below(most - least + 1), ' ');
    for (auto& c : out) {
      c = alphabet[below(alphabet.size())];
    }
    return out;
  }

 private:
  std::mt19937 engine_;
};

constexpr std::string_view word = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view path_word = "abcXYZ019._-+=:@,% ~\xc3\xa4";
constexpr std::string_view printable = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[\\]^_`abcxyz{|}~";
constexpr std::string_view hostile = "\"'\\\n\r\t,=[];# \x01\x7f\xc3\xa4\xff%${}`|&<>()ab/.";

std::string random_path(Dice& dice) {
  std::string path;
  for (std::size_t i = 0; i <= dice.below(4); ++i) {
    path += "/x" + dice.text(path_word, 0, 8) + "y";
  }
  return path;
}

DomainSpec random_spec(Dice& dice) {
  auto spec = sample_spec();
  spec.name = "n" + dice.text(word, 0, 20);
  spec.type = dice.coin() ? DomainType::pv : DomainType::pvh;
  spec.memory_mib = 1 + dice.below(100000);
  spec.maxmem_mib = spec.memory_mib + dice.below(1000);
  spec.vcpus = static_cast<unsigned>(1 + dice.below(128));
  spec.tsc = static_cast<TscMode>(dice.below(3));
  spec.kernel = random_path(dice) + dice.text(printable, 0, 8) + "k";
  spec.ramdisk = dice.coin() ? "" : random_path(dice);
  spec.cmdline = dice.text(printable, 0, 200);
  spec.disks.clear();
  for (std::size_t i = 0; i < dice.below(4); ++i) {
    spec.disks.push_back({.target = random_path(dice) + std::to_string(i),
                          .vdev = std::string("xvd") + static_cast<char>('a' + i),
                          .writable = dice.coin(),
                          .phy = dice.coin()});
  }
  spec.vifs.clear();
  for (std::size_t i = 0; i < dice.below(4); ++i) {
    spec.vifs.push_back({.mac = "02:00:00:00:00:0" + std::to_string(i),
                         .bridge = dice.coin() ? "" : dice.text(word, 1, 15),
                         .script = dice.coin() ? "" : "vif-" + dice.text(word, 1, 9),
                         .rate = dice.coin() ? "" : std::to_string(1 + dice.below(900)) + "Mb/s@20ms"});
  }
  spec.on_poweroff = static_cast<DomainAction>(dice.below(5));
  spec.on_reboot = static_cast<DomainAction>(dice.below(5));
  spec.on_crash = static_cast<DomainAction>(dice.below(5));
  return spec;
}

TEST(XlConfigProperty, ValidSpecsComeBackAsTheyWere) {
  unsigned written = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    Dice dice(seed);
    const auto spec = random_spec(dice);
    if (!validate(spec)) {
      continue;  // a random path may hold "//" or the like
    }
    ++written;
    const auto text = checked_xl_config(spec);
    ASSERT_TRUE(text.has_value()) << "seed " << seed << ": " << text.error().what;
    ASSERT_EQ(parse_xl_config(*text, "x").value(), spec) << "seed " << seed;
  }
  EXPECT_GT(written, 2000U);
}

// One field of a good spec gets hostile bytes.
void poison(DomainSpec& spec, std::size_t field, const std::string& bytes) {
  switch (field) {
    case 0:
      spec.name = bytes;
      break;
    case 1:
      spec.uuid = bytes;
      break;
    case 2:
      spec.kernel = "/" + bytes;
      break;
    case 3:
      spec.ramdisk = "/" + bytes;
      break;
    case 4:
      spec.cmdline = bytes;
      break;
    case 5:
      spec.disks[0].target = "/" + bytes;
      break;
    case 6:
      spec.disks[0].vdev = bytes;
      break;
    case 7:
      spec.vifs[0].mac = bytes;
      break;
    case 8:
      spec.vifs[0].bridge = bytes;
      break;
    case 9:
      spec.vifs[0].script = bytes;
      break;
    default:
      spec.vifs[0].rate = bytes;
  }
}

TEST(XlConfigProperty, HostileValuesAreRefusedOrPreserved) {
  for (unsigned seed = 0; seed < 5000; ++seed) {
    Dice dice(seed);
    auto spec = sample_spec();
    poison(spec, dice.below(11), dice.text(hostile, 0, 30));
    const auto text = checked_xl_config(spec);
    if (!text) {
      ASSERT_EQ(text.error().code, ErrorCode::bad_input)
          << "seed " << seed << ": it is validate() that refuses, not the reading back: " << text.error().what;
      continue;
    }
    ASSERT_EQ(parse_xl_config(*text, "x").value(), spec) << "seed " << seed;
    const auto keys = config_keys(*text);
    ASSERT_EQ(keys.size(), spec.ramdisk.empty() ? 13U : 14U) << "seed " << seed << ": a value became a key\n" << *text;
  }
}

TEST(XlConfigProperty, NamesAndPathsOfTenKilobytesAreRefused) {
  for (std::size_t field = 0; field < 11; ++field) {
    auto spec = sample_spec();
    poison(spec, field, std::string(10240, 'a'));
    EXPECT_EQ(checked_xl_config(spec).error().code, ErrorCode::bad_input) << field;
  }
}

// Whatever bytes a file holds: an answer, no crash. (The same input under ASan is what counts.)
TEST(XlConfigProperty, AnyTextHasAnAnswer) {
  for (unsigned seed = 0; seed < 5000; ++seed) {
    Dice dice(seed);
    auto text = xl_config_text(sample_spec());
    for (std::size_t i = 0; i <= dice.below(6); ++i) {
      text.replace(dice.below(text.size()), dice.below(6), dice.text(hostile, 0, 6));
    }
    static_cast<void>(parse_xl_config(text, "x"));
    static_cast<void>(read_xl_config_facts(text, "x"));
  }
}

}  // namespace
}  // namespace domsmith
