#include "imagebuild/engine/path_filter.h"

#include <gtest/gtest.h>

namespace domsmith::engine {
namespace {

Entry file(const std::string& path) {
  Entry entry;
  entry.path = path;
  return entry;
}

Entry folder(const std::string& path) {
  Entry entry = file(path);
  entry.type = EntryType::directory;
  return entry;
}

TEST(PathFilter, TheLastRuleThatFitsCounts) {
  PathFilter filter;
  filter.read(
      "path-exclude=/usr/share/doc/*\n# path-exclude=/etc/*\n  path-include /usr/share/doc/*/copyright\nno-debsig\n");
  EXPECT_TRUE(filter.leaves_out(file("usr/share/doc/bash/README")));
  EXPECT_FALSE(filter.leaves_out(file("usr/share/doc/bash/copyright")));
  EXPECT_FALSE(filter.leaves_out(file("etc/passwd")));
  filter.read("path-exclude=/usr/share/doc/bash/*");
  EXPECT_TRUE(filter.leaves_out(file("usr/share/doc/bash/copyright")));
}

TEST(PathFilter, AFolderThatAnIncludeNeedsIsKept) {
  PathFilter filter;
  filter.read("path-exclude=/usr/share/*\npath-include=/usr/share/doc/*/copyright\n");
  EXPECT_FALSE(filter.leaves_out(folder("usr/share/doc/bash")));
  EXPECT_TRUE(filter.leaves_out(folder("usr/share/man")));
  EXPECT_TRUE(filter.leaves_out(file("usr/share/doc/bash")));
}

TEST(PathFilter, WithoutRulesNothingIsLeftOut) {
  EXPECT_TRUE(PathFilter().empty());
  EXPECT_FALSE(PathFilter().leaves_out(file("usr/share/doc/bash/README")));
}

}  // namespace
}  // namespace domsmith::engine
