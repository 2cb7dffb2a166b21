#include "tests/house/include_graph.h"

#include <gmock/gmock.h>

namespace domsmith::house {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string findings(const std::string& path, const std::string& text) {
  return describe(check_includes({{.path = path, .text = text}}));
}

TEST(IncludeGraph, ReadsQuotedAndAngledIncludes) {
  const auto found = includes_of("// x\n#include <vector>\n  #  include \"base/fd.h\"\n// #include <no>\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].target, "vector");
  EXPECT_FALSE(found[0].quoted);
  EXPECT_EQ(found[1].target, "base/fd.h");
  EXPECT_EQ(found[1].line, 3U);
}

TEST(IncludeGraph, AcceptsArrowsThatRunTheRightWay) {
  EXPECT_THAT(findings("imagebuild/extfs/writer.cc",
                       "#include <vector>\n#include <ext2fs/ext2fs.h>\n"
                       "#include \"base/fd.h\"\n#include \"imagebuild/tree/entry.h\"\n"),
              IsEmpty());
  EXPECT_THAT(findings("provision/cli/main.cc", "#include \"lvm-snapshots/store.h\"\n#include <CLI/CLI.hpp>\n"),
              IsEmpty());
  EXPECT_THAT(findings("tests/unit/extfs/writer_test.cc", "#include <gtest/gtest.h>\n#include <ext2fs/ext2fs.h>\n"),
              IsEmpty());
  EXPECT_THAT(findings("tests/unit/stores/lvm_test.cc", "#include <libdevmapper.h>\n"), IsEmpty());
}

TEST(IncludeGraph, RefusesBaseLookingUp) {
  EXPECT_THAT(findings("base/fd.cc", "#include \"imagebuild/tree/entry.h\"\n"),
              HasSubstr("base/fd.cc:1: base may not include imagebuild/tree/entry.h"));
}

TEST(IncludeGraph, KeepsImagebuildAndStoresApart) {
  EXPECT_THAT(findings("imagebuild/build.cc", "#include \"lvm-snapshots/store.h\"\n"), HasSubstr("may not include"));
  EXPECT_THAT(findings("lvm-snapshots/thin.cc", "#include \"imagebuild/tree/entry.h\"\n"),
              HasSubstr("may not include"));
}

TEST(IncludeGraph, KeepsTheCommandLineOnTop) {
  EXPECT_THAT(findings("provision/images/build.cc", "#include \"provision/cli/output.h\"\n"),
              HasSubstr("below the command line"));
  EXPECT_THAT(findings("provision/cli/image_commands.cc", "#include \"provision/images/build.h\"\n"), IsEmpty());
}

TEST(IncludeGraph, NameThatOnlyStartsLikeARoomIsNotThatRoom) {
  EXPECT_THAT(findings("base/fd.cc", "#include \"baseline/x.h\"\n"), HasSubstr("may not include"));
  EXPECT_THAT(findings("basement/fd.cc", "#include \"base/fd.h\"\n"), HasSubstr("no room"));
}

TEST(IncludeGraph, TakesAHeaderBesideTheFile) {
  const SourceFile header{.path = "tests/unit/domain/sample.h", .text = ""};
  const SourceFile test{.path = "tests/unit/domain/a_test.cc", .text = "#include \"sample.h\"\n"};
  EXPECT_THAT(check_includes({header, test}), IsEmpty());
  EXPECT_THAT(describe(check_includes({test})), HasSubstr("may not include sample.h"));
}

TEST(IncludeGraph, RefusesALibraryOutsideItsFolder) {
  EXPECT_THAT(findings("imagebuild/boot/kernel.cc", "#include <ext2fs/ext2fs.h>\n"),
              HasSubstr("belongs to imagebuild/extfs"));
  EXPECT_THAT(findings("provision/cli/main.cc", "\n#include <sqlite3.h>\n"),
              HasSubstr("provision/cli/main.cc:2: <sqlite3.h> belongs to provision/registry"));
  EXPECT_THAT(findings("provision/domain/write.cc", "#include <libxl.h>\n"),
              HasSubstr("belongs to provision/toolstack"));
  EXPECT_THAT(findings("provision/domain/write.cc", "#include <libxlutil.h>\n"), IsEmpty());
  EXPECT_THAT(findings("provision/toolstack/xl.cc", "#include <gtest/gtest.h>\n"), HasSubstr("belongs to tests"));
}

TEST(IncludeGraph, RefusesALibraryThatNobodyDecidedOn) {
  EXPECT_THAT(findings("base/fd.cc", "#include <boost/asio.hpp>\n"), HasSubstr("no library in the house's table"));
  EXPECT_THAT(findings("base/fd.cc", "#include <curl.h>\n"), HasSubstr("no library in the house's table"));
  EXPECT_THAT(findings("base/fd.cc", "#include <sys/mman.h>\n#include <fcntl.h>\n#include <cstdint>\n"), IsEmpty());
}

}  // namespace
}  // namespace domsmith::house
