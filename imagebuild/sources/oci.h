// An OCI image layout (image-spec, image-layout.md): a folder with oci-layout, index.json and blobs/sha256/*.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace domsmith::sources {

struct OciLayer {
  std::string sha256;
  std::string media_type;
  std::uint64_t size = 0;  // bytes of the blob
};

struct OciImage {
  std::string architecture;      // Go's word, as Debian's for amd64 and arm64
  std::vector<OciLayer> layers;  // the lowest first
};

// The image for `architecture` (Debian's word). No link is followed; each JSON document has 4 MiB and its digest at
// most, an image 512 layers. bad_input for what is no layout, unsupported for what we cannot read.
Result<OciImage> read_oci_layout(int folder, const std::string& architecture);

// The blob, open at its start. bad_input where its bytes are not what its name says.
Result<Fd> open_blob(int folder, const OciLayer& layer);

// The SHA-256 of all bytes of an open file; its position is at the start then.
Result<std::string> file_sha256(int fd);

}  // namespace domsmith::sources
