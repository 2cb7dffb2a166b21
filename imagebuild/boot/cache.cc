#include "imagebuild/boot/cache.h"

#include <algorithm>
#include <system_error>

#include "base/crypto.h"
#include "base/file.h"

namespace domsmith::boot {
namespace {

constexpr std::string_view kernel_prefix = "kernel-";
constexpr std::string_view initrd_prefix = "initrd-";

Result<void> put_file(const std::filesystem::path& path, const std::string& bytes, const std::string& sha256) {
  std::error_code code;
  if (std::filesystem::file_size(path, code) == bytes.size() && !code) {
    if (const auto present = read_file(path, longest_boot_file); present && sha256_hex(*present) == sha256) {
      return {};
    }
  }
  return write_file_atomic(path, bytes, 0644);
}

// "kernel-…64 digits…" -> the digits; empty for any other name.
std::string hash_in(const std::string& name) {
  for (const std::string_view prefix : {kernel_prefix, initrd_prefix}) {
    const std::string rest = name.starts_with(prefix) ? name.substr(prefix.size()) : std::string();
    if (rest.size() == 64 && rest.find_first_not_of("0123456789abcdef") == std::string::npos) {
      return rest;
    }
  }
  return {};
}

}  // namespace

std::filesystem::path BootCache::kernel_path(const std::string& sha256) const {
  return directory_ / (std::string(kernel_prefix) + sha256);
}

std::filesystem::path BootCache::initrd_path(const std::string& sha256) const {
  return directory_ / (std::string(initrd_prefix) + sha256);
}

Result<StoredBoot> BootCache::put(const BootFiles& files) const {
  StoredBoot stored{kernel_path(files.kernel_sha256), initrd_path(files.initrd_sha256)};
  TRY_AS(put_file(stored.kernel, files.kernel, files.kernel_sha256), "cannot keep the image's kernel");
  TRY_AS(put_file(stored.initrd, files.initrd, files.initrd_sha256), "cannot keep the image's initramfs");
  return stored;
}

Result<std::vector<std::string>> BootCache::unreferenced(const std::set<std::string>& referenced) const {
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& item : std::filesystem::directory_iterator(directory_, code)) {
    const std::string name = item.path().filename();
    const std::string hash = hash_in(name);
    if (!hash.empty() && !referenced.contains(hash)) {
      names.push_back(name);
    }
  }
  if (code && code != std::errc::no_such_file_or_directory) {
    return fail_errno("cannot look into " + directory_.string(), code.value());
  }
  std::ranges::sort(names);
  return names;
}

Result<std::vector<std::string>> BootCache::remove_unreferenced(const std::set<std::string>& referenced) const {
  std::vector<std::string> names = TRY(unreferenced(referenced));
  for (const std::string& name : names) {
    TRY(remove_file(directory_ / name));
  }
  if (!names.empty()) {
    TRY(sync_directory(directory_));
  }
  return names;
}

}  // namespace domsmith::boot
