#include "base/passwords.h"

#include <gtest/gtest.h>

#include "base/process.h"

namespace domsmith {
namespace {

TEST(Passwords, OfUrlsAreHidden) {
  EXPECT_EQ(hide_passwords("http://me:hunter2@proxy:3128"), "http://me:***@proxy:3128");
  EXPECT_EQ(hide_passwords("deb https://me:a:b@c@mirror/debian bookworm main"),
            "deb https://me:***@mirror/debian bookworm main");
  EXPECT_EQ(hide_passwords("E: 'http://a:it's@x/' and ftp://b:q@y."), "E: 'http://a:***@x/' and ftp://b:***@y.");
  EXPECT_EQ(hide_passwords("http_proxy=me:hunter2@proxy:3128"), "http_proxy=me:***@proxy:3128");
  EXPECT_EQ(hide_passwords("http_proxy=http://me:hunter2@proxy"), "http_proxy=http://me:***@proxy");
}

TEST(Passwords, WhatIsNoneStays) {
  for (const char* text :
       {"", "http://mirror:80/debian", "http://me@mirror/debian", "http://mirror/a:b@c", "http://mirror?q=a:b@c",
        "a:b@c", "://", "ssh root@host: no://", "http_proxy=", "see http://a/ or mail me:you@b"}) {
    EXPECT_EQ(hide_passwords(text), text);
  }
}

TEST(Passwords, InPlaceKeepColumns) {
  EXPECT_EQ(hide_passwords_in_place("http://me:gehäuse@x y"), "http://me:*******@x y");
}

TEST(Passwords, OfACommandAreNotDisplayed) {
  const Command command{{"/bin/wget", "http://me:it's@x/"}, {"http_proxy=http://me:hunter2@proxy"}, {}};
  EXPECT_EQ(command.display(), "'http_proxy=http://me:***@proxy' /bin/wget 'http://me:***@x/'");
}

}  // namespace
}  // namespace domsmith
