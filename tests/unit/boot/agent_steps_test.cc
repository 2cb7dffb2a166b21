#include <gmock/gmock.h>

#include "imagebuild/boot/agent/steps.h"

namespace domsmith::agent {
namespace {

std::vector<Step> sample() {
  return {{.kind = StepKind::exec, .title = "user 'bob'", .argv = {"/usr/sbin/useradd", "bob", ""}, .input = "a\nb\0c"},
          {.kind = StepKind::file,
           .title = "file",
           .path = "/etc/x",
           .mode = 04755,
           .owner = "bob",
           .group = "adm",
           .input = std::string("\0\xff,3:abc,", 9)},
          {.kind = StepKind::script, .title = "script", .network = true, .input = "#!/bin/sh\n"},
          {.kind = StepKind::host_files}};
}

TEST(Steps, TravelUnchanged) {
  const auto back = decode_steps(encode_steps(sample()));
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(*back, sample());
  EXPECT_TRUE(decode_steps(encode_steps({})));
}

TEST(Steps, EveryKindHasItsName) {
  for (const StepKind kind :
       {StepKind::exec, StepKind::script, StepKind::file, StepKind::directory, StepKind::symlink, StepKind::remove,
        StepKind::timezone, StepKind::locale, StepKind::new_directory, StepKind::host_files}) {
    const auto back = decode_steps(encode_steps({{.kind = kind}}));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->at(0).kind, kind) << kind_name(kind);
  }
}

TEST(Steps, EveryCutIsNoticed) {
  const std::string whole = encode_steps(sample());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_steps(std::string_view(whole).substr(0, length))) << length;
  }
}

TEST(Steps, RefusesWhatIsNotExactlyTheFormat) {
  const std::string head = "domsmith-steps 2\n";
  for (const std::string& bytes : {
           std::string("domsmith-steps 1\n1:0,"), head + "1:0,x", head + "01:0,", head + "1:1,", head + "2:-1,",
           head + "99999999999999999999:0,", head + "1:0;", head + "9:999999999,",
           head + "1:1,3:run,0:,0:,1:0,0:,0:,1:0,1:0,0:,",      // an unknown kind
           head + "1:1,4:exec,0:,0:,4:9999,0:,0:,1:0,1:0,0:,",  // a mode beyond 07777
           head + "1:1,4:exec,0:,0:,1:0,0:,0:,1:2,1:0,0:,"      // neither with nor without network
       }) {
    EXPECT_FALSE(decode_steps(bytes)) << bytes;
  }
}

TEST(Steps, ErrorNamesThePlace) {
  const auto bad = decode_steps("domsmith-steps 2\n1:1,3:run,");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), "an unknown kind of step at byte 27");
}

}  // namespace
}  // namespace domsmith::agent
