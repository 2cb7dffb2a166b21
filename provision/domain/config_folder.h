// One open folder of config files: what put_configs() and remove_configs() are made of. Names are walked from the
// folder's descriptor, so that nobody can put another folder under its name meanwhile.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace domsmith {

class ConfigFolder {
 public:
  // nullopt: it does not exist.
  static Result<std::optional<ConfigFolder>> open(const std::filesystem::path& path);
  static Result<ConfigFolder> make(const std::filesystem::path& path);

  // The bytes of a file; nullopt: there is none of that name. bad_input for one past 1 MiB and for what is no regular
  // file.
  Result<std::optional<std::string>> read(const std::string& name) const;
  // Where a link points; nullopt: there is none of that name. exists: it is no link.
  Result<std::optional<std::string>> read_link(const std::string& name) const;

  // Under a temporary name that follows from `name`, so that a later call finds what a crash left. Not yet flushed,
  // unless `flush`.
  Result<void> stage(const std::string& name, std::string_view bytes, bool flush) const;
  Result<void> stage_link(const std::string& name, const std::string& target) const;
  // The staged one takes the name. `replace` false: exists, where the name is taken.
  Result<void> publish(const std::string& name, bool replace) const;
  Result<void> drop_staged(const std::string& name) const;  // absent is fine

  Result<void> remove(const std::string& name) const;  // absent is fine
  Result<void> flush_files() const;                    // syncfs(2): the bytes of every staged file
  Result<void> flush_names() const;                    // fsync(2) of the folder

  [[nodiscard]] std::string path_of(std::string_view name) const { return (path_ / name).string(); }

 private:
  ConfigFolder(std::filesystem::path path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::filesystem::path path_;
  Fd fd_;
};

}  // namespace domsmith
