// The plan of writing an identity: which files of a clone's file system get which bytes. A value, made without I/O.
//
// It holds what must be, not what must change: the executor (identity/write.h) leaves alone what is so already.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "provision/identity/facts.h"
#include "provision/identity/identity.h"

namespace domsmith {

struct PlannedFile {
  enum class Type { regular, symlink, directory };
  std::string path = {};  // absolute, in the image
  Type type = Type::regular;
  std::string bytes = {};     // regular: the content; symlink: the target
  std::uint32_t mode = 0644;  // permission bits; owner and group are root
  bool secret = false;        // not to be shown
  bool operator==(const PlannedFile&) const = default;
};

struct IdentityPlan {
  std::vector<std::string> remove = {};  // absolute paths; absent ones are fine
  std::vector<PlannedFile> files = {};   // in the order of writing: folders stand before what lies in them
  std::vector<std::string>
      notes;  // what a person should know, e.g. "the image has no network configuration that is known"
};

IdentityPlan plan_identity(const ImageFacts& facts, const Identity& identity);

// For --plan and golden tests: a line a step, the text of files indented below it, secrets as "(secret, N bytes)".
std::string plan_text(const IdentityPlan& plan);

}  // namespace domsmith
