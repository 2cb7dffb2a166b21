// A small domsmith world in a temporary folder: a folder store, a registry, a journal, an /etc/xen. Its image is a real
// ext4 of a few megabytes, so that every verb runs its real code.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/progress.h"
#include "provision/guests/batch.h"
#include "provision/guests/clone.h"
#include "provision/guests/promote.h"
#include "provision/guests/rebase.h"
#include "provision/guests/resize.h"
#include "provision/images/make_image.h"
#include "provision/recovery/recover.h"
#include "provision/toolstack/fake_toolstack.h"

namespace domsmith {

class Scene {
 public:
  explicit Scene(std::string store = {});  // empty: a folder store of its own

  // Each opens registry and store anew, as a process of its own would.
  Result<void> build() const;
  Result<void> clone(const std::string& name, std::uint32_t count, const CloneRequest& how = {}) const;
  Result<void> promote(const std::string& guest, const std::string& image) const;
  Result<void> rebase(const std::vector<std::string>& names, const std::string& image, bool force) const;
  Result<void> resize(const std::string& guest, std::uint64_t size) const;
  Result<void> reset(const std::vector<std::string>& names) const;
  Result<void> remove(const std::vector<std::string>& names) const;
  Result<void> remove_image() const;
  Result<void> start(const std::vector<std::string>& names) const;  // on the toolstack of this process
  Result<void> stop(const std::vector<std::string>& names) const;
  Result<std::size_t> recover() const;             // how many operations
  Result<std::vector<std::string>> audit() const;  // "guest web-1: its volume …", one a difference
  Result<std::vector<std::string>> fix() const;    // what audit says after its repairs
  Result<void> collect_garbage() const;

  // Everything that is there, but for locks: files below the store, /etc/xen, the boot files and the journal, and the
  // rows of the registry without what is random in them.
  [[nodiscard]] std::string shape() const;
  [[nodiscard]] std::vector<GuestRecord> guests() const;
  // e2fsck -fn of every clone, and each holds its own identity.
  void expect_whole_clones() const;
  // The audit finds nothing.
  void expect_clean() const;

  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }
  [[nodiscard]] const std::string& store_spec() const { return store_spec_; }
  // What runs, for those verbs that look; it is this process's alone.
  [[nodiscard]] FakeToolstack& toolstack() const { return *toolstack_; }

 private:
  template <class Act>
  auto with_place(Act&& act) const;
  TemporaryDirectory directory_;
  std::string store_spec_;
  std::unique_ptr<FakeToolstack> toolstack_ = std::make_unique<FakeToolstack>();
};

// Runs `body` in a process of its own; its wait status. The body's Error goes to stderr.
int in_child(const std::vector<std::pair<std::string, std::string>>& environment,
             const std::function<Result<void>()>& body);

// The fail points that `body` passes, each with the number of times: "clone.reserve.before", …
std::vector<std::string> passed_points(const std::function<Result<void>()>& body);

}  // namespace domsmith
