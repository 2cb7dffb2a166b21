#include "imagebuild/sources/oci.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/crypto.h"
#include "base/interrupt.h"

namespace domsmith::sources {
namespace {

using nlohmann::json;

constexpr std::uint64_t longest_document = 4U << 20;
constexpr std::size_t most_layers = 512;
constexpr int deepest_index = 4;  // an index may name indexes

Result<Fd> open_in(int folder, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  Fd fd(static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how)));
  if (!fd) {
    return fail_errno(fmt::format("cannot open {} of the OCI image", path), errno);
  }
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return fail(ErrorCode::bad_input, fmt::format("{} of the OCI image is no regular file", path));
  }
  return fd;
}

Result<std::string> read_in(int folder, const std::string& path) {
  const Fd fd = TRY(open_in(folder, path));
  std::string bytes(longest_document + 1, '\0');
  bytes.resize(TRY(read_some(fd.get(), std::as_writable_bytes(std::span(bytes)))));
  if (bytes.size() > longest_document) {
    return fail(ErrorCode::bad_input, fmt::format("{} of the OCI image is larger than 4 MiB", path));
  }
  return bytes;
}

Result<json> parse(const std::string& bytes, const std::string& what) {
  json document = json::parse(bytes, nullptr, false);
  if (!document.is_object()) {
    return fail(ErrorCode::bad_input, fmt::format("{} of the OCI image is no JSON object", what));
  }
  return document;
}

std::string text_at(const json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "sha256:HEX" -> HEX
Result<std::string> digest_of(const json& descriptor) {
  constexpr std::string_view algorithm = "sha256:";
  const std::string digest = text_at(descriptor, "digest");
  const std::string hex = digest.starts_with(algorithm) ? digest.substr(algorithm.size()) : std::string();
  const bool good = hex.size() == 64 &&
                    std::ranges::all_of(hex, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  return good ? Result<std::string>(hex)
              : fail(ErrorCode::bad_input, "the OCI image names a blob by something else than its SHA-256");
}

Result<json> read_blob(int folder, const json& descriptor, const std::string& what) {
  const std::string hex = TRY(digest_of(descriptor));
  const std::string bytes = TRY(read_in(folder, "blobs/sha256/" + hex));
  if (sha256_hex(bytes) != hex) {
    return fail(ErrorCode::bad_input, fmt::format("the {} of the OCI image is damaged: its SHA-256 is another", what));
  }
  return parse(bytes, "the " + what);
}

// The manifest that fits, in an index or in one that it names.
Result<std::optional<json>> find_manifest(int folder, const json& index, const std::string& architecture, int depth) {
  if (depth > deepest_index) {
    return fail(ErrorCode::bad_input, "the OCI image's indexes are nested too deeply");
  }
  const auto manifests = index.find("manifests");
  if (manifests == index.end() || !manifests->is_array() || manifests->size() > 1024) {
    return fail(ErrorCode::bad_input, "the OCI image's index names no manifests");
  }
  for (const json& descriptor : *manifests) {
    const std::string type = text_at(descriptor, "mediaType");
    const auto platform = descriptor.is_object() ? descriptor.value("platform", json::object()) : json::object();
    const std::string wanted = text_at(platform, "architecture");
    if (!wanted.empty() && wanted != architecture) {
      continue;
    }
    json document = TRY(read_blob(folder, descriptor, "manifest"));
    if (type.contains("index") || type.contains("manifest.list")) {
      if (auto found = TRY(find_manifest(folder, document, architecture, depth + 1))) {
        return found;
      }
    } else {
      return document;
    }
  }
  return std::nullopt;
}

Result<OciLayer> layer_of(const json& descriptor) {
  OciLayer layer{.sha256 = TRY(digest_of(descriptor)), .media_type = text_at(descriptor, "mediaType"), .size = 0};
  const auto size = descriptor.find("size");
  layer.size = size != descriptor.end() && size->is_number_unsigned() ? size->get<std::uint64_t>() : 0;
  if (!layer.media_type.contains("tar")) {
    return fail(ErrorCode::unsupported,
                fmt::format("the OCI image has a layer of type '{}'", layer.media_type.substr(0, 100)),
                "only layers that are tar archives can be read");
  }
  return layer;
}

}  // namespace

Result<OciImage> read_oci_layout(int folder, const std::string& architecture) try {
  const json mark = TRY(parse(TRY(read_in(folder, "oci-layout")), "oci-layout"));
  if (text_at(mark, "imageLayoutVersion") != "1.0.0") {
    return fail(ErrorCode::unsupported, "the OCI image has a layout of another version than 1.0.0");
  }
  const json index = TRY(parse(TRY(read_in(folder, "index.json")), "index.json"));
  const auto manifest = TRY(find_manifest(folder, index, architecture, 0));
  if (!manifest) {
    return fail(ErrorCode::unsupported, fmt::format("the OCI image has nothing for {}", architecture));
  }
  OciImage image;
  const json config = TRY(read_blob(folder, manifest->value("config", json::object()), "config"));
  image.architecture = text_at(config, "architecture");
  if (!image.architecture.empty() && image.architecture != architecture) {
    return fail(ErrorCode::unsupported, fmt::format("the OCI image is for another architecture than {}", architecture));
  }
  const json layers = manifest->value("layers", json::array());
  if (!layers.is_array() || layers.empty() || layers.size() > most_layers) {
    return fail(ErrorCode::bad_input, fmt::format("the OCI image has no layers, or more than {}", most_layers));
  }
  for (const json& descriptor : layers) {
    image.layers.push_back(TRY(layer_of(descriptor)));
  }
  return image;
} catch (const json::exception& error) {
  return fail(ErrorCode::bad_input, "the OCI image's documents are damaged");
}

Result<std::string> file_sha256(int fd) {
  Sha256 digest;
  std::vector<std::byte> buffer(1U << 20);
  for (std::uint64_t at = 0;;) {
    TRY(check_interrupted());
    const std::size_t got = TRY(pread_some(fd, at, buffer));
    if (got == 0) {
      break;
    }
    digest.update(std::span<const std::byte>(buffer).first(got));
    at += got;
  }
  ::lseek(fd, 0, SEEK_SET);
  return digest.hex();
}

Result<Fd> open_blob(int folder, const OciLayer& layer) {
  Fd blob = TRY(open_in(folder, "blobs/sha256/" + layer.sha256));
  if (TRY(file_sha256(blob.get())) != layer.sha256) {
    return fail(ErrorCode::bad_input,
                fmt::format("the layer {:.12} of the OCI image is damaged: its SHA-256 is another", layer.sha256));
  }
  return blob;
}

}  // namespace domsmith::sources
