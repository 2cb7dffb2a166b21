#include "hypervisor/host/guests.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Result<Finished> domsmith(const fs::path& program, std::vector<std::string> words) {
  words.insert(words.begin(), program.string());
  return run({.argv = std::move(words), .environment = {}, .working_directory = {}});
}

Result<json> guest_list(const fs::path& program) {
  const Finished done = TRY(domsmith(program, {"guest", "list", "--json"}));
  json document = json::parse(done.out, nullptr, false);
  if (!done.status.success() || !document.is_object() || !document["guests"].is_array()) {
    return fail(ErrorCode::failed, "cannot list the guests: " + trimmed(done.err_tail));
  }
  return document;
}

std::vector<std::string> names_of(const std::string& name, unsigned count) {
  if (count == 1) {
    return {name};
  }
  std::vector<std::string> names;
  for (unsigned i = 1; i <= count; ++i) {
    names.push_back(fmt::format("{}-{}", name, i));
  }
  return names;
}

// All guests of one entry of the answer file; those that an interrupted first start made already stay.
Result<std::vector<std::string>> clone_entry(const HostPlaces& places, const json& entry,
                                             const std::set<std::string>& known) {
  const std::string name = entry.value("name", "");
  const unsigned count = entry.value("count", 1U);
  std::vector<std::string> names = names_of(name, count);
  if (std::ranges::all_of(names, [&](const std::string& one) { return known.contains(one); })) {
    return names;
  }
  std::vector<std::string> words{"clone",   entry.value("image", ""), "--name",     name,
                                 "--count", std::to_string(count),    "--template", entry.value("template", "small")};
  if (entry.value("autostart", true)) {
    words.emplace_back("--autostart");
  }
  std::error_code ignored;
  if (fs::exists(places.keys, ignored)) {
    words.insert(words.end(), {"--ssh-keys", places.keys.string()});
  }
  const Finished done = TRY(domsmith(places.program, std::move(words)));
  if (!done.status.success()) {
    return fail(ErrorCode::failed, fmt::format("cannot clone the guests {}: {}", name, trimmed(done.err_tail)));
  }
  return names;
}

Result<std::vector<std::string>> first_guests(const HostPlaces& places, Progress& progress) {
  std::error_code ignored;
  if (!fs::exists(places.first_boot, ignored)) {
    return std::vector<std::string>{};
  }
  progress.note("first start: cloning the guests of the answer file");
  std::set<std::string> known;
  const json all = TRY(guest_list(places.program));
  for (const json& guest : all["guests"]) {
    known.insert(guest.value("name", ""));
  }
  const json wanted = json::parse(TRY(read_file(places.first_boot)), nullptr, false);
  std::vector<std::string> names;
  for (const json& entry : wanted.is_object() ? wanted.value("guests", json::array()) : json::array()) {
    const auto made = TRY(clone_entry(places, entry, known));
    names.insert(names.end(), made.begin(), made.end());
  }
  return names;
}

Result<std::vector<std::string>> start_once(const HostPlaces& places, const std::vector<std::string>& names,
                                            Progress& progress) {
  std::vector<std::string> failed;
  for (const std::string& name : names) {
    const Finished done = TRY(domsmith(places.program, {"guest", "start", name, "--progress=none"}));
    progress.note(
        fmt::format("{} {}", name, done.status.success() ? "is started" : "did not start: " + trimmed(done.err_tail)));
    if (!done.status.success()) {
      failed.push_back(name);
    }
  }
  return failed;
}

Result<void> start_each(const HostPlaces& places, const std::vector<std::string>& names, Progress& progress) {
  auto failed = TRY(start_once(places, names, progress));
  if (!failed.empty()) {
    progress.note(fmt::format("once more, now that the host is less busy: {}", join(failed, " ")));
    failed = TRY(start_once(places, failed, progress));
  }
  return failed.empty() ? Result<void>()
                        : fail(ErrorCode::failed, fmt::format("these guests did not start: {}", join(failed, " ")));
}

}  // namespace

Result<std::vector<std::string>> running_names(const json& document) {
  std::vector<std::string> names;
  for (const json& guest : document["guests"]) {
    if (!guest.contains("running")) {
      return fail(ErrorCode::failed, "it is not known which guests run");
    }
    if (guest.value("running", false)) {
      names.push_back(guest.value("name", ""));
    }
  }
  return names;
}

Result<std::vector<std::string>> running_guests(const fs::path& program) {
  const json document = TRY(guest_list(program));
  return running_names(document);
}

std::vector<std::string> autostart_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".cfg") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

Result<void> start_host_guests(const HostPlaces& places, Progress& progress) {
  std::vector<std::string> names = TRY(first_guests(places, progress));
  for (std::string& name : autostart_names(places.autostart)) {
    if (std::ranges::find(names, name) == names.end()) {
      names.push_back(std::move(name));
    }
  }
  TRY(start_each(places, names, progress));
  return remove_file(places.first_boot);
}

Result<void> stop_host_guests(const HostPlaces& places, Progress& progress) {
  std::vector<std::string> words{"guest", "stop", "--force", "--timeout", "120", "--progress=none"};
  const std::size_t fixed = words.size();
  for (std::string& name : TRY(running_guests(places.program))) {
    words.push_back(std::move(name));
  }
  if (words.size() == fixed) {
    return {};
  }
  progress.note(fmt::format("{} guests are asked to power off", words.size() - fixed));
  const Finished done = TRY(domsmith(places.program, std::move(words)));
  return done.status.success() ? Result<void>() : fail(ErrorCode::failed, trimmed(done.err_tail));
}

}  // namespace domsmith
