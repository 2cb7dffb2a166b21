#include "imagebuild/engine/unpack.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/text.h"
#include "imagebuild/engine/package_lists.h"
#include "imagebuild/tree/folder_writer.h"

namespace domsmith::engine {
namespace {

constexpr const char* not_configured = ".dpkg-new";  // dpkg's own name for a conffile that waits

std::string_view text_of(const ControlFiles& control, std::string_view name) {
  const auto found = control.find(name);
  return found == control.end() ? std::string_view() : std::string_view(found->second.bytes);
}

// deb-conffiles(5): a path a line, flags before it.
std::vector<std::string> conffiles_of(const ControlFiles& control) {
  std::vector<std::string> paths;
  for (const std::string& raw : split_lines(text_of(control, "conffiles"))) {
    const std::string line = trimmed(raw);
    if (line.starts_with('/')) {
      paths.push_back(line);
    }
  }
  return paths;
}

// What dpkg does with each member of a package's data.
class PackageSink final : public TreeSink {
 public:
  PackageSink(int root, const PathFilter& filter, UnpackedPackage& into)
      : writer_(root), filter_(&filter), into_(&into) {
    for (const std::string& path : conffiles_of(into.control)) {
      conffiles_.insert(path.substr(1));
    }
  }

  Result<void> entry(const Entry& given) override {
    into_->paths.push_back(given.path.empty() ? "/." : "/" + given.path);
    skips_ = filter_->leaves_out(given);
    if (skips_) {
      return {};
    }
    if (given.type == EntryType::directory) {
      into_->folders.push_back(given);
      return writer_.entry(given);
    }
    into_->files.push_back(given.path);
    Entry entry = given;
    rename(entry.path);
    if (entry.type == EntryType::hard_link) {
      rename(entry.target);
    }
    return writer_.entry(entry);
  }
  Result<void> data(std::uint64_t offset, std::span<const std::byte> bytes) override {
    return skips_ ? Result<void>() : writer_.data(offset, bytes);
  }
  Result<void> finish() override { return writer_.finish(); }

 private:
  void rename(std::string& path) const {
    if (conffiles_.contains(path)) {
      path += not_configured;
    }
  }

  FolderWriter writer_;
  const PathFilter* filter_;
  UnpackedPackage* into_;
  std::set<std::string> conffiles_ = {};
  bool skips_ = false;
};

Result<UnpackedPackage> unpack_one(const std::filesystem::path& archives, const Package& package, int root,
                                   const PathFilter& filter) {
  UnpackedPackage unpacked{.package = package, .control = {}, .paths = {}, .folders = {}, .files = {}};
  const DebFile file = TRY(DebFile::open(archives / package.file(), package.sha256));
  unpacked.control = TRY(file.control());
  PackageSink sink(root, filter, unpacked);
  TRY(file.data(sink, {}));
  TRY(sink.finish());
  return unpacked;
}

// The largest first, so that no processor is left with one at the end.
std::vector<std::size_t> by_size(const std::vector<Package>& packages) {
  std::vector<std::size_t> order;
  for (std::size_t i = 1; i < packages.size(); ++i) {
    order.push_back(i);
  }
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return packages[i].size; });
  return order;
}

// A folder that several packages hold is made by whoever comes first; it is to look as the first of the list has it.
Result<void> settle_folders(int root, const std::vector<UnpackedPackage>& packages) {
  FolderWriter writer(root);
  std::set<std::string_view> seen;
  for (const UnpackedPackage& package : packages) {
    for (const Entry& folder : package.folders) {
      const bool common = folder.mode == 0755 && folder.uid == 0 && folder.gid == 0;
      if (seen.insert(folder.path).second && !common) {
        TRY(writer.set_directory(folder));
      }
    }
  }
  return {};
}

Result<void> refuse_two_owners(const std::vector<UnpackedPackage>& packages) {
  std::map<std::string_view, std::string_view> owners;
  for (const UnpackedPackage& package : packages) {
    for (const std::string& path : package.files) {
      const auto [owner, is_new] = owners.try_emplace(path, package.package.name);
      if (!is_new && owner->second != package.package.name) {
        return fail(ErrorCode::unsupported,
                    fmt::format("the packages '{}' and '{}' both hold /{}", owner->second, package.package.name, path),
                    "two packages that a system begins with may not replace files of one another");
      }
    }
  }
  return {};
}

}  // namespace

std::string UnpackedPackage::database_name() const {
  const bool same = Stanza(text_of(control, "control")).field("Multi-Arch") == "same";
  return same ? fmt::format("{}:{}", package.name, package.architecture) : package.name;
}

Result<std::vector<UnpackedPackage>> unpack(const std::filesystem::path& archives, const std::vector<Package>& packages,
                                            int root, const PathFilter& filter) {
  std::vector<UnpackedPackage> unpacked(packages.size());
  if (packages.empty()) {
    return unpacked;
  }
  unpacked[0] = TRY(unpack_one(archives, packages[0], root, filter));
  const std::vector<std::size_t> order = by_size(packages);
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> error;
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size(); i = next++) {
      auto one = unpack_one(archives, packages[order[i]], root, filter);
      if (one) {
        unpacked[order[i]] = std::move(*one);
        continue;
      }
      const std::scoped_lock lock(mutex);
      error = error ? std::move(error) : std::move(one).error();
      next = order.size();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) {
      helpers.emplace_back(work);
    }
    work();
  }
  if (error) {
    return std::unexpected(std::move(*error));
  }
  TRY(refuse_two_owners(unpacked));
  TRY(settle_folders(root, unpacked));
  return unpacked;
}

}  // namespace domsmith::engine
