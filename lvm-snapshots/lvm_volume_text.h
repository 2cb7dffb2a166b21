// A volume group's metadata text, taken apart into its volumes. A group of thousands is thin volumes that are all
// alike: each is looked through once, line by line, and a tree (lvm_config.h) is made of the others alone.
//
// Fields and their order: lib/format_text/export.c and lib/thin/thin.c of LVM2 2.03.16.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lvm-snapshots/lvm_config.h"

namespace domsmith {

// A thin volume with one segment, every field of which is known and where LVM puts it.
struct LvmThinVolume {
  std::string_view id;    // as LVM prints it
  std::string_view tags;  // as they stand there: quoted, with commas between
  std::string_view pool;
  std::string_view origin;  // empty: none
  std::uint64_t extents = 0;
  std::uint64_t device = 0;
  bool visible = false;
};

class LvmVolumeText {
 public:
  // `body`: what is between its braces, an item a line, no line empty. bad_input.
  static Result<LvmVolumeText> of(std::string name, std::string body);
  explicit LvmVolumeText(LvmConfigNode node);

  std::string name;
  [[nodiscard]] const LvmThinVolume* thin() const { return thin_ ? &*thin_ : nullptr; }  // nullptr: it is more, or less
  [[nodiscard]] const LvmConfigNode& node() const;  // under the name that it came with
  void write(std::string& to) const;

 private:
  LvmVolumeText() = default;
  std::shared_ptr<const std::string> body_;
  std::optional<LvmThinVolume> thin_;                  // looks into body_
  mutable std::shared_ptr<const LvmConfigNode> node_;  // made when it is asked for, of a thin volume
};

struct LvmTakenApart {
  LvmConfigNode frame;  // the whole text, but that its section logical_volumes, where it has one, is empty
  std::vector<LvmVolumeText> volumes;
};

// Of any text that LVM reads; one that is as LVM writes it to disks takes a fraction of the time. bad_input: errors of
// parse_lvm_config(), no such group.
Result<LvmTakenApart> take_apart(std::string_view text, const std::string& group);
// As LVM writes it to disk, but for empty lines.
std::string put_together(const LvmTakenApart& parts, const std::string& group);

}  // namespace domsmith
