#include "lvm-snapshots/store_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/utf8.h"

namespace domsmith {

namespace {

constexpr std::string_view forms = "name it as lvm:VG/POOL, lvm:VG or dir:PATH";

// lvm(8), VALID NAMES: letters, digits and "+_.-", no leading hyphen, neither "." nor ".."; 127 bytes for VG and LV.
Result<void> check_lvm_name(std::string_view what, std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+_.-").contains(c);
  };
  if (name.empty() || name.size() > 127 || name.front() == '-' || name == "." || name == ".." ||
      !std::ranges::all_of(name, allowed)) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' cannot be the name of a {}", name.substr(0, 140), what),
                std::string(forms));
  }
  return {};
}

Result<StoreSpec> parse_lvm(std::string_view rest) {
  StoreSpec spec;
  spec.kind = StoreKind::lvm;
  const auto slash = rest.find('/');
  spec.group = rest.substr(0, slash);
  TRY(check_lvm_name("volume group", spec.group));
  if (slash != std::string_view::npos) {
    spec.pool = rest.substr(slash + 1);
    TRY(check_lvm_name("thin pool", spec.pool));
  }
  return spec;
}

Result<StoreSpec> parse_folder(std::string_view rest) {
  if (rest.empty() || rest.contains('\0') || rest.contains('\n')) {
    return fail(ErrorCode::bad_input, fmt::format("'dir:{}' names no folder", rest), std::string(forms));
  }
  if (!is_utf8(rest)) {  // the journal and the registry remember it
    return fail(ErrorCode::bad_input, fmt::format("the folder 'dir:{}' has a name that is no UTF-8", rest),
                "keep the store in a folder whose path is UTF-8");
  }
  std::error_code error;
  const auto absolute = std::filesystem::absolute(std::filesystem::path(rest), error).lexically_normal();
  if (error) {
    return fail(ErrorCode::failed, "cannot tell the current folder: " + error.message());
  }
  StoreSpec spec;
  spec.kind = StoreKind::folder;
  spec.path =
      absolute.has_filename() || absolute == absolute.root_path() ? absolute.string() : absolute.parent_path().string();
  return spec;
}

}  // namespace

std::string StoreSpec::text() const {
  switch (kind) {
    case StoreKind::lvm:
      return pool.empty() ? "lvm:" + group : fmt::format("lvm:{}/{}", group, pool);
    case StoreKind::folder:
      return "dir:" + path;
    case StoreKind::memory:
      break;
  }
  return "memory:" + name;
}

Result<StoreSpec> parse_store_spec(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  if (colon != std::string_view::npos && kind == "lvm") {
    return parse_lvm(rest);
  }
  if (colon != std::string_view::npos && kind == "dir") {
    return parse_folder(rest);
  }
  if (colon != std::string_view::npos && kind == "memory") {
    StoreSpec spec;
    spec.name = rest;
    return spec;
  }
  return fail(ErrorCode::bad_input, fmt::format("'{}' names no store", text.substr(0, 200)), std::string(forms));
}

}  // namespace domsmith
