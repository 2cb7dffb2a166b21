// Progress events: what an operation says while it runs. Who shows them (bars, lines, JSON) is the command line's
// affair.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace domsmith {

struct ProgressEvent {
  enum class Kind { begin, advance, end, note, warning };
  Kind kind = Kind::note;
  std::string stage;        // "packages", "file system", "clones"
  std::string text;         // a short sentence, may be empty
  std::uint64_t done = 0;   // in `unit`s
  std::uint64_t total = 0;  // 0: not known
  std::string unit;         // "bytes", "files", "clones", "steps"; may be empty
};

class Progress {
 public:
  virtual ~Progress() = default;
  virtual void event(const ProgressEvent& event) = 0;

  void begin(std::string_view stage, std::uint64_t total = 0, std::string_view unit = {});
  void advance(std::string_view stage, std::uint64_t done, std::uint64_t total = 0, std::string_view unit = {});
  void end(std::string_view stage, std::string_view text = {});
  void note(std::string_view text);
  void warning(std::string_view text);
};

class SilentProgress final : public Progress {
 public:
  void event(const ProgressEvent&) override {}
};

}  // namespace domsmith
