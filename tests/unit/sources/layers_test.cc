#include "imagebuild/sources/layers.h"

#include "imagebuild/tree/folder.h"
#include "tests/unit/sources/support.h"

namespace domsmith::sources {
namespace {

using testing::ElementsAre;

class Layers : public testing::Test {
 protected:
  static Entry node(const std::string& path) {
    Entry entry;
    entry.path = path;
    entry.type = path.ends_with('/') ? EntryType::directory : EntryType::regular;
    if (path.ends_with('/')) {
      entry.path.pop_back();
    }
    entry.mode = 0755;
    return entry;
  }
  // One layer of these paths; a '/' at the end is a folder.
  void layer(const std::vector<std::string>& paths) {
    TreeFolder writer = must(TreeFolder::open(folder_.path(), Owners::ours));
    LayerSink sink(writer);
    for (const std::string& path : paths) {
      must(sink.entry(node(path)));
    }
    must(sink.finish());
  }
  std::vector<std::string> found() {
    MemoryTree tree;
    SilentProgress silent;
    must(read_folder(folder_.path(), tree, silent));
    std::vector<std::string> paths;
    for (const auto& [path, entry] : tree.entries) {
      if (!path.empty()) {
        paths.push_back(path);
      }
    }
    return paths;
  }
  TemporaryDirectory folder_ = must(TemporaryDirectory::make());
};

TEST_F(Layers, AWhiteoutHidesWhatLowerLayersHave) {
  layer({"a/", "a/one", "a/two", "b/", "b/deep/", "b/deep/file"});
  layer({"a/.wh.one", ".wh.b", ".wh.nothing"});
  EXPECT_THAT(found(), ElementsAre("a", "a/two"));
}

TEST_F(Layers, AnOpaqueFolderKeepsItsOwnLayersFilesWhateverTheirOrder) {
  layer({"a/", "a/old/", "a/old/x", "a/gone"});
  layer({"a/", "a/new", "a/old/", "a/old/y", "a/.wh..wh..opq", "a/late"});
  EXPECT_THAT(found(), ElementsAre("a", "a/late", "a/new", "a/old", "a/old/y"));
}

TEST_F(Layers, AFileTakesTheWholePlaceOfAFolder) {
  layer({"a/", "a/b/", "a/b/c"});
  layer({"a"});
  EXPECT_THAT(found(), ElementsAre("a"));
  layer({"a/", "a/d"});
  EXPECT_THAT(found(), ElementsAre("a", "a/d"));
}

TEST_F(Layers, LinksDoNotLeadOutOfTheTree) {
  const auto outside = must(TemporaryDirectory::make());
  must(write_file_atomic(outside.path() / "victim", "safe"));
  TreeFolder writer = must(TreeFolder::open(folder_.path(), Owners::ours));
  LayerSink sink(writer);
  Entry link = node("link");
  link.type = EntryType::symlink;
  link.target = outside.path().string();
  must(sink.entry(link));
  EXPECT_FALSE(sink.entry(node("link/victim")));  // the tree has no folder of that path
  must(sink.entry(node("link/.wh.victim")));
  must(sink.finish());
  EXPECT_EQ(must(read_file(outside.path() / "victim")), "safe");
}

TEST_F(Layers, AWhiteoutOfTheParentIsRefused) {
  TreeFolder writer = must(TreeFolder::open(folder_.path(), Owners::ours));
  LayerSink sink(writer);
  EXPECT_FALSE(sink.entry(node("a/.wh...")));
  EXPECT_FALSE(sink.entry(node(".wh.")));
}

}  // namespace
}  // namespace domsmith::sources
