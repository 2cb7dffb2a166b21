#include "imagebuild/sources/oci.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/crypto.h"
#include "tests/unit/sources/support.h"

namespace domsmith::sources {
namespace {

using testing::HasSubstr;

class OciLayout : public testing::Test {
 protected:
  std::string blob(const std::string& bytes) {
    const std::string hex = sha256_hex(bytes);
    must(write_file_atomic(folder_.path() / "blobs/sha256" / hex, bytes));
    return hex;
  }
  void put(const std::string& name, const std::string& bytes) { must(write_file_atomic(folder_.path() / name, bytes)); }
  static std::string descriptor(const std::string& hex, const std::string& type, const std::string& more = {}) {
    return fmt::format(R"({{"mediaType":"application/vnd.oci.image.{}","digest":"sha256:{}","size":1{}}})", type, hex,
                       more);
  }
  // An image of one layer; the manifest's SHA-256.
  std::string image(const std::string& architecture, const std::string& layer) {
    const std::string config = blob(fmt::format(R"({{"architecture":"{}","os":"linux"}})", architecture));
    return blob(fmt::format(R"({{"schemaVersion":2,"config":{},"layers":[{}]}})", descriptor(config, "config.v1+json"),
                            descriptor(blob(layer), "layer.v1.tar")));
  }
  void index(const std::string& manifests) {
    put("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    put("index.json", fmt::format(R"({{"schemaVersion":2,"manifests":[{}]}})", manifests));
  }
  Result<OciImage> read() {
    const Fd folder = must(open_fd(folder_.path(), O_RDONLY | O_DIRECTORY));
    return read_oci_layout(folder.get(), "amd64");
  }
  TemporaryDirectory folder_ = must(TemporaryDirectory::make());
};

TEST_F(OciLayout, TakesTheImageOfTheArchitecture) {
  const auto platform = [](const std::string& name) {
    return fmt::format(R"(,"platform":{{"architecture":"{}"}})", name);
  };
  index(descriptor(image("arm64", "arm"), "manifest.v1+json", platform("arm64")) + "," +
        descriptor(image("amd64", "amd"), "manifest.v1+json", platform("amd64")));
  const OciImage found = must(read());
  ASSERT_EQ(found.layers.size(), 1U);
  EXPECT_EQ(found.layers[0].sha256, sha256_hex("amd"));
  EXPECT_EQ(found.architecture, "amd64");
}

TEST_F(OciLayout, FollowsAnIndexOfAnIndex) {
  const std::string inner =
      blob(fmt::format(R"({{"manifests":[{}]}})", descriptor(image("amd64", "x"), "manifest.v1+json")));
  index(descriptor(inner, "index.v1+json"));
  EXPECT_EQ(must(read()).layers.size(), 1U);
}

TEST_F(OciLayout, RefusesWhatItCannotTrust) {
  const auto refusal = [&] {
    const auto found = read();
    return found ? std::string("taken") : words_of(found.error());
  };
  EXPECT_THAT(refusal(), HasSubstr("cannot open oci-layout"));
  index(descriptor(image("s390x", "x"), "manifest.v1+json"));
  EXPECT_THAT(refusal(), HasSubstr("another architecture"));
  index(descriptor(std::string(64, 'a'), "manifest.v1+json"));
  EXPECT_THAT(refusal(), HasSubstr("cannot open blobs"));
  index(R"({"digest":"sha256:../../../etc/passwd"})");
  EXPECT_THAT(refusal(), HasSubstr("something else than its SHA-256"));
  index("17");
  EXPECT_THAT(refusal(), HasSubstr("something else"));
  put("index.json", "[");
  EXPECT_THAT(refusal(), HasSubstr("no JSON object"));
  put("index.json", std::string(5U << 20, ' '));
  EXPECT_THAT(refusal(), HasSubstr("larger than 4 MiB"));
}

TEST_F(OciLayout, ABlobThatWasChangedIsDamaged) {
  const std::string manifest = image("amd64", "layer");
  index(descriptor(manifest, "manifest.v1+json"));
  put("blobs/sha256/" + sha256_hex("layer"), "other");
  const OciImage found = must(read());
  const Fd folder = must(open_fd(folder_.path(), O_RDONLY | O_DIRECTORY));
  const auto opened = open_blob(folder.get(), found.layers[0]);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().what, HasSubstr("is damaged"));
  put("blobs/sha256/" + manifest, "{}");
  EXPECT_FALSE(read());
}

TEST_F(OciLayout, ALinkIsNotFollowed) {
  index(descriptor(image("amd64", "x"), "manifest.v1+json"));
  std::filesystem::rename(folder_.path() / "index.json", folder_.path() / "real.json");
  std::filesystem::create_symlink("real.json", folder_.path() / "index.json");
  EXPECT_FALSE(read());
}

}  // namespace
}  // namespace domsmith::sources
