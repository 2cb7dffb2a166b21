#include "hypervisor/system/modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "imagebuild/archive/decompress.h"
#include "imagebuild/boot/module_index.h"
#include "imagebuild/extfs/filesystem.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t index_limit = 32ULL << 20;
constexpr std::uint64_t module_limit = 32ULL << 20;

std::string in_initramfs(const std::string& path) { return "/lib/modules/" + boot::module_name_of(path) + ".ko"; }

Result<boot::ModuleFiles> read_indexes(extfs::FileSystem& image, const std::string& folder) {
  return boot::ModuleFiles{.dep = TRY(image.read_file(folder + "/modules.dep", index_limit)),
                           .builtin = TRY(image.read_file(folder + "/modules.builtin", index_limit)),
                           .softdep = TRY(image.read_file(folder + "/modules.softdep", index_limit)),
                           .alias = TRY(image.read_file(folder + "/modules.alias", index_limit))};
}

// "alias PATTERN MODULE" of modules.alias for the modules of `names`, with the files to load.
Result<std::string> driver_lines(const boot::ModuleIndex& index, const std::string& aliases,
                                 const std::vector<std::string>& names) {
  std::map<std::string, std::string> files;  // by module
  for (const std::string& name : names) {
    std::string line;
    for (const std::string& path : TRY(index.load_order({name}))) {
      line += " " + in_initramfs(path);
    }
    files[boot::module_name_of(name)] = line;
  }
  std::string text;
  for (const std::string& line : split_lines(aliases)) {
    const auto pattern_at = line.find(' ');
    const auto name_at = line.rfind(' ');
    const auto found =
        name_at == std::string::npos ? files.end() : files.find(boot::module_name_of(line.substr(name_at + 1)));
    if (line.starts_with("alias ") && found != files.end() && pattern_at < name_at && !found->second.empty()) {
      text += line.substr(pattern_at + 1, name_at - pattern_at - 1) + found->second + "\n";
    }
  }
  return text;
}

// depmod(8) works on files: the chosen modules, in a folder of their own.
Result<void> write_indexes(SlotTree& tree, const SlotTree& modules, const std::string& version) {
  const TemporaryDirectory work = TRY(TemporaryDirectory::make());
  for (const auto& [path, file] : modules) {
    if (file.type == EntryType::regular) {
      TRY(write_file_atomic(work.path().string() + path, file.content));
    }
  }
  TRY_AS(run_checked({.argv = {TRY(find_program("depmod")), "-b", work.path().string() + "/usr", version},
                      .environment = {},
                      .working_directory = {}}),
         "cannot make the indexes of the kernel's modules");
  const fs::path folder = work.path() / "usr/lib/modules" / version;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with("modules.")) {
      put_file(tree, fmt::format("/usr/lib/modules/{}/{}", version, entry.path().filename().string()),
               TRY(read_file(entry.path(), index_limit)));
    }
  }
  return {};
}

}  // namespace

Result<EarlyModules> add_modules(SlotTree& tree, extfs::FileSystem& image, const std::string& version,
                                 const ModuleList& list) {
  const std::string folder = "/usr/lib/modules/" + version;
  const boot::ModuleFiles files = TRY(read_indexes(image, folder));
  const boot::ModuleIndex index(files, version);
  std::vector<std::string> early = list.early;
  for (const auto* more : {&list.early_hardware, &list.early_medium, &list.early_arrays}) {
    early.insert(early.end(), more->begin(), more->end());
  }
  const auto early_paths = TRY(index.load_order(early));
  std::vector<std::string> all = TRY(index.load_order(list.all));
  SlotTree modules;
  for (const std::string& path : all) {
    put_file(modules, folder + "/" + path, TRY(image.read_file(folder + "/" + path, module_limit)));
  }
  for (const char* name : {"modules.builtin", "modules.builtin.modinfo", "modules.order"}) {
    put_file(modules, folder + "/" + name, TRY(image.read_file(folder + "/" + name, index_limit)));
  }
  for (const auto& [path, file] : modules) {
    if (file.type == EntryType::regular) {
      put_file(tree, path, file.content);
    }
  }
  TRY(write_indexes(tree, modules, version));
  EarlyModules result{.files = {}, .lists = {}, .drivers = TRY(driver_lines(index, files.alias, list.early_hardware))};
  for (const auto& [name, modules_of_it] : {std::pair("modules", &list.early),
                                            {"modules.medium", &list.early_medium},
                                            {"modules.arrays", &list.early_arrays}}) {
    std::string text;
    for (const std::string& path : TRY(index.load_order(*modules_of_it))) {
      text += in_initramfs(path) + "\n";
    }
    result.lists.emplace_back(name, std::move(text));
  }
  for (const std::string& path : early_paths) {
    const std::string& packed = modules.at(folder + "/" + path).content;
    result.files.emplace_back(boot::module_name_of(path) + ".ko", TRY(decompress(packed, module_limit)));
  }
  return result;
}

}  // namespace domsmith
