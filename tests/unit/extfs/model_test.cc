// Random changes to a file system beside a map that says what it should hold; a failure comes again from its seed.
#include <gmock/gmock.h>

#include <map>
#include <random>

#include "tests/unit/extfs/image.h"

namespace domsmith::extfs {
namespace {

struct Thing {
  EntryType type = EntryType::regular;
  std::string text;  // of a file, or a link's target
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed), image_(96 * mib) {
    image_.format().close().value();
    fs_ = std::make_unique<FileSystem>(image_.open());
  }

  void change() {
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return write();
      case 3:
        return link();
      case 4:
      case 5:
        return make_directory();
      case 6:
      case 7:
        return remove();
      case 8:
        return below(4) == 0 ? remove_tree() : write();
      default:
        return below(8) == 0 ? reopen() : write();
    }
  }

  void compare() {
    reopen();
    image_.expect_clean();
    for (const auto& [path, thing] : things_) {
      SCOPED_TRACE(path);
      ASSERT_EQ(must(fs_->stat(path, Follow::no)).type, thing.type);
      if (thing.type == EntryType::regular) {
        EXPECT_TRUE(must(fs_->read_file(path, 16 * mib)) == thing.text);
      } else if (thing.type == EntryType::symlink) {
        EXPECT_EQ(must(fs_->read_link(path)), thing.text);
      }
    }
    EXPECT_EQ(count("/"), things_.size() + 1);  // and lost+found
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  std::size_t count(const std::string& path) {
    std::size_t all = 0;
    for (const DirectoryItem& item : must(fs_->list(path))) {
      ++all;
      if (item.type == EntryType::directory) {
        all += count(path + "/" + item.name);
      }
    }
    return all;
  }

  std::string some_directory() {
    std::vector<std::string> all{""};
    for (const auto& [path, thing] : things_) {
      if (thing.type == EntryType::directory) {
        all.push_back(path + "/");
      }
    }
    return all[below(all.size())];
  }
  std::string some_name() {
    const std::string number = std::to_string(below(200));
    return some_directory() + (below(5) == 0 ? std::string(200, 'n') : "name-") + number;
  }
  std::string bytes() {
    const std::uint64_t sizes[] = {0, 1, 59, 60, 4095, 4096, 4097, 50'000, 400'000, 3'000'000};
    std::string text(sizes[below(std::size(sizes))], '\0');
    for (char& each : text) {
      each = static_cast<char>(random_());
    }
    return text;
  }

  void write() {
    const std::string path = some_name();
    std::string text = bytes();
    Attributes attributes{.mode = static_cast<std::uint32_t>(below(010000))};
    if (below(3) == 0) {
      attributes.xattrs["user.x"] = std::string(below(2000), 'v');
    }
    const auto written = fs_->write_file(path, text, attributes);
    if (const auto found = things_.find(path); found != things_.end() && found->second.type == EntryType::directory) {
      EXPECT_EQ(written.error().code, ErrorCode::exists);
    } else if (written) {
      things_[path] = {.type = EntryType::regular, .text = std::move(text)};
    } else {
      EXPECT_EQ(written.error().code, ErrorCode::no_space) << told(written.error());
    }
  }

  void link() {
    const std::string path = some_name();
    std::string target(1 + below(300), 'q');
    const auto made = fs_->symlink(path, target);
    if (made) {
      things_[path] = {.type = EntryType::symlink, .text = std::move(target)};
    }
  }

  void make_directory() {
    const std::string path = some_name();
    const auto made = fs_->make_directories(path);
    if (const auto found = things_.find(path); found != things_.end()) {
      EXPECT_EQ(made.has_value(), found->second.type == EntryType::directory);
    } else if (made) {
      things_[path] = {.type = EntryType::directory, .text = {}};
    }
  }

  void remove() {
    const std::string path = some_name();
    const auto removed = fs_->remove(path);
    const auto found = things_.find(path);
    const bool has_more = found != things_.end() && std::next(found) != things_.end() &&
                          things_.lower_bound(path + "/") != things_.lower_bound(path + "0");
    EXPECT_EQ(removed.has_value(), found != things_.end() && !has_more) << path;
    if (removed) {
      things_.erase(path);
    }
  }

  void remove_tree() {
    const std::string path = some_name();
    must(fs_->remove_tree(path));
    things_.erase(path);
    things_.erase(things_.lower_bound(path + "/"), things_.lower_bound(path + "0"));
  }

  void reopen() {
    must(fs_->close());
    fs_ = std::make_unique<FileSystem>(image_.open());
  }

  std::mt19937_64 random_;
  Image image_;
  std::unique_ptr<FileSystem> fs_;
  std::map<std::string, Thing> things_;
};

TEST(FileSystemModel, HoldsWhatItShould) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed);
    for (int round = 0; round < 2; ++round) {
      for (int step = 0; step < 250; ++step) {
        model.change();
      }
      model.compare();
      if (HasFailure()) {
        return;
      }
    }
  }
}

}  // namespace
}  // namespace domsmith::extfs
