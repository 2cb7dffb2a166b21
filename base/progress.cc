#include "base/progress.h"

namespace domsmith {

void Progress::begin(std::string_view stage, std::uint64_t total, std::string_view unit) {
  event({ProgressEvent::Kind::begin, std::string(stage), {}, 0, total, std::string(unit)});
}

void Progress::advance(std::string_view stage, std::uint64_t done, std::uint64_t total, std::string_view unit) {
  event({ProgressEvent::Kind::advance, std::string(stage), {}, done, total, std::string(unit)});
}

void Progress::end(std::string_view stage, std::string_view text) {
  event({ProgressEvent::Kind::end, std::string(stage), std::string(text), 0, 0, {}});
}

void Progress::note(std::string_view text) { event({ProgressEvent::Kind::note, {}, std::string(text), 0, 0, {}}); }

void Progress::warning(std::string_view text) {
  event({ProgressEvent::Kind::warning, {}, std::string(text), 0, 0, {}});
}

}  // namespace domsmith
