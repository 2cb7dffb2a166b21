// Files of OpenPGP public keys (RFC 9580), as far as apt has to be told of what kind they are.
#pragma once

#include <optional>
#include <string_view>

#include "imagebuild/recipe/schema.h"

namespace domsmith {

// "-----BEGIN PGP PUBLIC KEY BLOCK-----" first: apt(8) wants such a file to be called .asc, others .gpg.
bool is_armored_key(std::string_view bytes);
// Why it is no file of public keys; `what` goes on behind the file's name: "is a private key".
std::optional<Complaint> complaint_of_key(std::string_view bytes);

}  // namespace domsmith
