#include "provision/registry/mac.h"

#include <set>

#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

TEST(Mac, CanonicalForm) {
  EXPECT_EQ(canonical_mac("00:16:3E:0A:0b:0c"), "00:16:3e:0a:0b:0c");
  EXPECT_EQ(canonical_mac("0:16:3e:a:b:c"), "00:16:3e:0a:0b:0c");
  EXPECT_EQ(canonical_mac("00-16-3e-0a-0b-0c"), "00:16:3e:0a:0b:0c");
}

TEST(Mac, WhatIsNone) {
  for (const auto* text :
       {"", ":", "00:16:3e", "00:16:3e:0a:0b:0c:0d", "00:16:3e:0a:0b:", "00:16:3e:0a:0b:1gg", "00:16:3e:0a:0b:100",
        "00:16-3e:0a:0b:0c", "0x:16:3e:0a:0b:0c", "-1:16:3e:0a:0b:0c", "00:16:3e:0a:0b: c", "+0:16:3e:0a:0b:0c"}) {
    EXPECT_EQ(canonical_mac(text), std::nullopt) << text;
  }
}

TEST(Mac, NumbersAndBack) {
  EXPECT_EQ(mac_number("00:16:3e:80:00:01"), 0x00163e800001);
  EXPECT_EQ(mac_text(0x02d05e0102ff), "02:d0:5e:01:02:ff");
}

TEST(Mac, DefaultPolicyKeepsOutOfWhatLibxlDraws) {
  const MacPolicy policy;
  EXPECT_EQ(policy.text(), "00:16:3e");
  EXPECT_EQ(mac_text(policy.first()), "00:16:3e:80:00:00");
  EXPECT_EQ(mac_text(policy.last()), "00:16:3e:ff:ff:ff");
}

TEST(Mac, OtherPrefixes) {
  const auto policy = value_of(MacPolicy::parse("02:D0:5e:01:02"));
  EXPECT_EQ(policy.text(), "02:d0:5e:01:02");
  EXPECT_EQ(mac_text(policy.first()), "02:d0:5e:01:02:00");
  EXPECT_EQ(mac_text(policy.last()), "02:d0:5e:01:02:ff");
  EXPECT_EQ(value_of(MacPolicy::parse("00:16:3e")).first(), MacPolicy().first());
}

TEST(Mac, RefusedPrefixes) {
  EXPECT_THAT(MacPolicy::parse("01:00:5e"), FailsWith(ErrorCode::bad_input, HasSubstr("multicast")));
  EXPECT_THAT(MacPolicy::parse("33:33:00:00"), FailsWith(ErrorCode::bad_input, HasSubstr("multicast")));
  for (const auto* text : {"", "02", "02:00", "02:00:00:00:00:00", "zz:00:00", "02:00:00:"}) {
    EXPECT_THAT(MacPolicy::parse(text), FailsWith(ErrorCode::bad_input, HasSubstr("is no MAC prefix"))) << text;
  }
}

TEST(Mac, DrawsEveryFreeAddressOfASmallPrefix) {
  const auto policy = value_of(MacPolicy::parse("02:00:00:00:07"));
  std::unordered_set<std::uint64_t> taken;
  for (std::uint64_t last = 0; last < 200; ++last) {
    taken.insert(policy.first() + last);
  }
  const auto random = seeded_random(1);
  const auto drawn = value_of(draw_macs(policy, 56, taken, *random));
  EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 56U);
  for (const auto mac : drawn) {
    EXPECT_GE(mac, policy.first() + 200);
    EXPECT_LE(mac, policy.last());
  }
}

TEST(Mac, ExhaustionNamesTheNumbers) {
  const auto policy = value_of(MacPolicy::parse("02:00:00:00:07"));
  const auto random = seeded_random(1);
  // One of the two is outside the prefix and takes nothing away.
  const auto drawn = draw_macs(policy, 256, {policy.first() + 3, policy.last() + 1}, *random);
  EXPECT_THAT(drawn, FailsWith(ErrorCode::no_space,
                               "the MAC prefix 02:00:00:00:07 has 255 of its 256 addresses left, 256 are needed"));
}

TEST(Mac, DrawsAreSpread) {
  const auto random = seeded_random(7);
  const auto drawn = value_of(draw_macs({}, 10'000, {}, *random));
  std::set<std::uint64_t> fourth_bytes;
  for (const auto mac : drawn) {
    fourth_bytes.insert(mac >> 16 & 0xff);
  }
  EXPECT_EQ(fourth_bytes.size(), 128U);
  EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 10'000U);
}

}  // namespace
}  // namespace domsmith
