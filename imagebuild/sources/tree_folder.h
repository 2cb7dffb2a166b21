// Puts a tree into a folder of this host, as tar -x would: the counterpart of folder.h.
//
// Parents of a path are found by the kernel below the folder and nowhere else (openat2(2), RESOLVE_IN_ROOT): a link of
// the tree cannot lead a write out of it. Device nodes are left out.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "imagebuild/tree/entry.h"

namespace domsmith::sources {

enum class Owners {
  keep,  // files belong to whom the tree says; for root, here or in a namespace
  ours,  // to this process
};

class TreeFolder final : public TreeSink {
 public:
  // `folder` exists.
  static Result<TreeFolder> open(const std::filesystem::path& folder, Owners owners);
  TreeFolder(TreeFolder&&) noexcept = default;

  // As in a tree written by extfs/writer.h: the later of two entries wins, missing parents are made.
  Result<void> entry(const Entry& entry) override;
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override;
  Result<void> finish() override;

  // --- for layers (sources/layers.h)
  // Removes what is at `path` and below it, but not the paths in `kept` and their parents. Absent is fine.
  Result<void> remove(const std::string& path, const std::set<std::string>& kept);
  // The same with all that is in the folder `path`; the folder stays.
  Result<void> empty(const std::string& path, const std::set<std::string>& kept);

 private:
  struct Place {  // an open parent, and a name in it
    Fd parent;
    std::string name;
  };
  TreeFolder(Fd root, Owners owners) : root_(std::move(root)), owners_(owners) {}
  Result<Fd> open_folder(const std::string& path);
  Result<Place> place(const std::string& path);
  Result<void> set_root(const Entry& entry);
  Result<void> make_room(const Place& place, bool for_directory);
  Result<void> make_node(const Entry& entry, const Place& place);
  Result<void> set_attributes(const Entry& entry, const Place& place);
  Result<void> finish_file();
  Result<void> remove_in(int folder, const std::string& path, const std::set<std::string>& kept);
  Result<bool> remove_one(int parent, const std::string& name, const std::string& path,
                          const std::set<std::string>& kept);

  Fd root_;
  Owners owners_;
  Fd file_;     // the regular file that data() goes to
  Entry open_;  // its entry
  std::map<std::string, Timestamp> folder_times_;
};

}  // namespace domsmith::sources
