// write_database(): what dpkg --unpack leaves in /var/lib/dpkg.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "base/text.h"
#include "imagebuild/engine/package_lists.h"
#include "imagebuild/engine/unpack.h"
#include "imagebuild/tree/folder_writer.h"

namespace domsmith::engine {
namespace {

constexpr std::string_view database = "var/lib/dpkg";

// Files of dpkg's database, by their names in it.
class DatabaseWriter {
 public:
  explicit DatabaseWriter(int root) : writer_(root) {}

  Result<void> folder(std::string_view name) {
    Entry entry;
    entry.path = fmt::format("{}/{}", database, name);
    entry.type = EntryType::directory;
    entry.mode = 0755;
    return writer_.entry(entry);
  }
  Result<void> file(std::string_view name, std::string_view bytes, std::uint32_t mode = 0644) {
    Entry entry;
    entry.path = fmt::format("{}/{}", database, name);
    entry.mode = mode;
    entry.size = bytes.size();
    entry.mtime.seconds = std::time(nullptr);
    TRY(writer_.entry(entry));
    TRY(writer_.data(0, std::as_bytes(std::span(bytes))));
    return writer_.finish();
  }

 private:
  FolderWriter writer_;
};

std::string lines_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  return text;
}

// Its paragraph of the status file: the control file's, with the state, and conffiles whose hash is not known yet.
std::string status_of(const UnpackedPackage& package) {
  const std::string& control = package.control.at("control").bytes;
  std::string text;
  for (const std::string& line : split_lines(control)) {
    if (!line.empty()) {
      text += line + "\n";
    }
    if (line.starts_with("Package:")) {
      text += "Status: install ok unpacked\n";
    }
  }
  std::string conffiles;
  if (const auto found = package.control.find("conffiles"); found != package.control.end()) {
    for (const std::string& raw : split_lines(found->second.bytes)) {
      if (const std::string path = trimmed(raw); path.starts_with('/')) {
        conffiles += fmt::format(" {} newconffile\n", path);
      }
    }
  }
  return text + (conffiles.empty() ? "" : "Conffiles:\n" + conffiles) + "\n";
}

// deb-triggers(5): "interest NAME" and its kin. The files of triggers/ (dpkg's doc/triggers.txt): an interest in a path
// stands in File, "PATH PACKAGE[/noawait]"; in another name in a file of that name, "PACKAGE[/noawait]".
std::map<std::string, std::string> triggers_of(const std::vector<UnpackedPackage>& packages) {
  std::map<std::string, std::string> files;
  for (const UnpackedPackage& package : packages) {
    const auto found = package.control.find("triggers");
    if (found == package.control.end()) {
      continue;
    }
    for (const std::string& raw : split_lines(found->second.bytes)) {
      const std::string line = trimmed(std::string_view(raw).substr(0, raw.find('#')));
      const std::size_t blank = line.find_first_of(" \t");
      if (!line.starts_with("interest") || blank == std::string::npos) {
        continue;
      }
      const std::string name = trimmed(line.substr(blank));
      const std::string who = package.database_name() + (line.substr(0, blank) == "interest-noawait" ? "/noawait" : "");
      if (name.starts_with('/')) {
        files["File"] += fmt::format("{} {}\n", name, who);
      } else {
        files[name] += who + "\n";
      }
    }
  }
  return files;
}

Result<void> write_info(DatabaseWriter& out, const UnpackedPackage& package) {
  const std::string name = package.database_name();
  for (const auto& [kind, file] : package.control) {
    if (kind != "control") {
      TRY(out.file(fmt::format("info/{}.{}", name, kind), file.bytes, file.mode));
    }
  }
  return out.file(fmt::format("info/{}.list", name), lines_of(package.paths));
}

}  // namespace

Result<void> write_database(int root, const std::string& architecture, const std::vector<UnpackedPackage>& packages) {
  DatabaseWriter out(root);
  for (const char* folder : {"info", "triggers", "updates", "parts", "alternatives"}) {
    TRY(out.folder(folder));
  }
  TRY(out.file("arch", architecture));
  TRY(out.file("info/format", "1\n"));
  std::vector<std::pair<std::string, std::string>> status;
  for (const UnpackedPackage& package : packages) {
    TRY(write_info(out, package));
    status.emplace_back(package.database_name(), status_of(package));
  }
  for (const auto& [name, text] : triggers_of(packages)) {
    TRY(out.file("triggers/" + name, text));
  }
  std::ranges::sort(status);
  std::string text;
  for (const auto& [name, paragraph] : status) {
    text += paragraph;
  }
  return out.file("status", text);
}

}  // namespace domsmith::engine
