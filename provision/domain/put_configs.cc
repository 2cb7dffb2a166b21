#include <fmt/format.h>

#include <set>

#include "base/fail_point.h"
#include "base/log.h"
#include "provision/domain/config_dir.h"
#include "provision/domain/config_folder.h"

namespace domsmith {

namespace fs = std::filesystem;

namespace {

// Above this many files one syncfs(2) is cheaper than a flush of each.
constexpr std::size_t flush_each_limit = 8;

struct Planned {
  std::string file;  // "web-1.cfg"
  std::string text;
  std::optional<std::string> former_text;  // the same guest's file that is replaced
  std::string link_target;                 // "../web-1.cfg"
  bool had_link = false;
  bool wants_link = false;
};

// Writes a batch; undoes what it did unless it came to its end.
class Batch {
 public:
  explicit Batch(const fs::path& directory) : directory_(directory) {}

  Result<void> put(std::span<const DomainSpec> specs) {
    TRY(plan(specs));
    auto done = write();
    if (!done) {
      undo();
    }
    return done;
  }

 private:
  // No file is touched here: every text is made and every name looked at.
  Result<void> plan(std::span<const DomainSpec> specs) {
    std::set<std::string> names;
    bool links = false;
    for (const auto& spec : specs) {
      if (!names.insert(spec.name).second) {
        return fail(ErrorCode::bad_input, fmt::format("two domains of one batch are called '{}'", spec.name));
      }
      planned_.push_back({.file = spec.name + ".cfg",
                          .text = TRY(checked_xl_config(spec)),
                          .former_text = {},
                          .link_target = fmt::format("../{}.cfg", spec.name),
                          .had_link = false,
                          .wants_link = spec.autostart});
      links = links || spec.autostart;
    }
    folder_ = TRY(ConfigFolder::make(directory_));
    links_ = links ? std::optional(TRY(ConfigFolder::make(directory_ / "auto")))
                   : TRY(ConfigFolder::open(directory_ / "auto"));
    for (std::size_t i = 0; i < specs.size(); ++i) {
      TRY(look_at(planned_[i], specs[i].uuid));
    }
    return {};
  }

  Result<void> look_at(Planned& item, const std::string& uuid) {
    item.former_text = TRY(folder_->read(item.file));
    if (item.former_text &&
        (!written_by_domsmith(*item.former_text) || item.former_text->find(uuid) == std::string::npos)) {
      return taken(folder_->path_of(item.file));
    }
    const auto target = links_ ? TRY(links_->read_link(item.file)) : std::nullopt;
    if (target && *target != item.link_target) {
      return taken(links_->path_of(item.file));
    }
    item.had_link = target.has_value();
    return {};
  }

  static std::unexpected<Error> taken(const std::string& path) {
    return fail(ErrorCode::exists, fmt::format("{} is there and is not this guest's", path),
                "take another name, or move the file away");
  }

  Result<void> write() {
    const bool flush_each = planned_.size() <= flush_each_limit;
    for (const auto& item : planned_) {
      ++staged_;
      TRY(folder_->stage(item.file, item.text, flush_each));
    }
    if (!flush_each) {
      TRY(folder_->flush_files());
    }
    TRY(fail_point("put_configs.staged"));
    for (const auto& item : planned_) {
      TRY(fail_point("put_configs.publish"));
      TRY(folder_->publish(item.file, item.former_text.has_value()));
      ++published_;
    }
    for (const auto& item : planned_) {
      ++linked_;
      TRY(link(item, item.wants_link));
    }
    TRY(fail_point("put_configs.linked"));
    if (links_) {
      TRY(links_->flush_names());
    }
    return folder_->flush_names();
  }

  Result<void> link(const Planned& item, bool wanted) {
    if (!links_ || (item.had_link && item.wants_link)) {
      return {};
    }
    if (!wanted) {
      return links_->remove(item.file);
    }
    TRY(links_->stage_link(item.file, item.link_target));
    return links_->publish(item.file, true);
  }

  // Back to what was there; a step that fails now is noted and the rest goes on.
  void undo() {
    for (std::size_t i = 0; i < staged_; ++i) {
      const auto& item = planned_[i];
      if (i < linked_) {
        note(link(item, item.had_link));
      }
      if (i < published_) {
        note(item.former_text ? restore(item) : folder_->remove(item.file));
      }
      note(folder_->drop_staged(item.file));
    }
    note(folder_->flush_names());
  }

  Result<void> restore(const Planned& item) {
    TRY(folder_->stage(item.file, *item.former_text, true));
    return folder_->publish(item.file, true);
  }

  static void note(const Result<void>& result) {
    if (!result) {
      log_info("while undoing: " + result.error().what);
    }
  }

  fs::path directory_;
  std::optional<ConfigFolder> folder_;
  std::optional<ConfigFolder> links_;  // auto/, where there is one
  std::vector<Planned> planned_;
  std::size_t staged_ = 0, published_ = 0, linked_ = 0;
};

}  // namespace

Result<void> put_configs(const fs::path& directory, std::span<const DomainSpec> specs) {
  if (specs.empty()) {
    return {};
  }
  return Batch(directory).put(specs);
}

Result<void> put_config(const fs::path& directory, const DomainSpec& spec) {
  return put_configs(directory, std::span(&spec, 1));
}

}  // namespace domsmith
