#include "provision/cli/progress_display.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/json_text.h"
#include "provision/cli/output.h"
#include "provision/cli/progress_line.h"
#include "provision/cli/table.h"

namespace domsmith {
namespace {

using Time = std::chrono::steady_clock::time_point;
using Kind = ProgressEvent::Kind;

constexpr std::chrono::milliseconds kRedraw{100};  // at most ten drawings a second
constexpr std::chrono::milliseconds kTick{500};    // where nothing happens, the clock is drawn so often
constexpr std::chrono::seconds kPlainPause{5};     // between two plain lines of a stage
constexpr Seconds kWorthALine{1.0};                // a stage this long leaves a line behind when it ends

struct Stage {
  ProgressEvent last;
  Time begun;
  std::optional<Time> shown;
};

// What the three ways of showing have in common: one event at a time, the stages under way, the terminal.
class Display : public Progress {
 public:
  explicit Display(ProgressTerminal terminal) : terminal_(std::move(terminal)) {}

  void event(const ProgressEvent& event) final {
    const std::scoped_lock lock(mutex_);
    const Time now = terminal_.now();
    if (event.kind == Kind::note || event.kind == Kind::warning) {
      say(event, nullptr, now);
      return;
    }
    auto [place, fresh] = stages_.try_emplace(event.stage);
    Stage& stage = place->second;
    if (fresh || event.kind == Kind::begin) {
      stage = {.last = event, .begun = now, .shown = {}};
    } else {
      remember(stage, event);
    }
    say(event, &stage, now);
    if (event.kind == Kind::end) {
      stages_.erase(place);
    }
  }

 protected:
  virtual void say(const ProgressEvent& event, Stage* stage, Time now) = 0;

  // For a thread of the display's own: as event() is, one at a time.
  template <class Act>
  void exclusively(Act&& act) {
    const std::scoped_lock lock(mutex_);
    act(stages_);
  }

  void put(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), terminal_.stream);
    std::fflush(terminal_.stream);
  }
  [[nodiscard]] const ProgressTerminal& terminal() const { return terminal_; }
  [[nodiscard]] std::string_view warning_word() const {
    return terminal_.colour ? "\x1b[33mwarning:\x1b[0m" : "warning:";
  }
  static bool due(const Stage& stage, Time now, std::chrono::milliseconds pause) {
    return !stage.shown || now - *stage.shown >= pause;
  }
  // "file system: 1.2 GiB (14 s)"
  static std::string ending(const ProgressEvent& event, const Stage& stage, Time now) {
    // "step 7 of 7" says nothing of a stage that is over.
    const std::string amount = stage.last.unit == "steps" ? std::string() : amount_text(stage.last);
    const std::string text = event.text.empty() ? amount : printable(event.text);
    const std::string took = duration_text(now - stage.begun);
    return text.empty() ? fmt::format("{} ({})\n", printable(event.stage), took)
                        : fmt::format("{}: {} ({})\n", printable(event.stage), text, took);
  }

 private:
  // An advance may leave out what the begin said.
  static void remember(Stage& stage, const ProgressEvent& event) {
    const ProgressEvent before = stage.last;
    if (event.kind == Kind::end) {
      return;
    }
    stage.last = event;
    if (event.total == 0) {
      stage.last.total = before.total;
    }
    if (event.unit.empty()) {
      stage.last.unit = before.unit;
    }
  }

  std::mutex mutex_;
  ProgressTerminal terminal_;
  std::map<std::string, Stage> stages_;
};

class BarDisplay final : public Display {
 public:
  explicit BarDisplay(ProgressTerminal terminal) : Display(std::move(terminal)), ticker_(start_ticker()) {}
  ~BarDisplay() override {
    ticker_.request_stop();
    ticker_.join();
    clear();
  }
  BarDisplay(const BarDisplay&) = delete;
  BarDisplay& operator=(const BarDisplay&) = delete;

 private:
  void say(const ProgressEvent& event, Stage* stage, Time now) override {
    if (stage == nullptr) {
      clear();
      put(event.kind == Kind::warning ? fmt::format("{} {}\n", warning_word(), printable(event.text))
                                      : printable(event.text) + "\n");
    } else if (event.kind == Kind::end) {
      clear();
      if (!event.text.empty() || now - stage->begun >= kWorthALine) {
        put(ending(event, *stage, now));
      }
    } else if (due(*stage, now, kRedraw)) {
      draw(*stage, now);
    }
  }

  // The clock goes on where no event comes for a while. The thread takes no signals: they are for who waits elsewhere.
  std::jthread start_ticker() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::jthread thread([this](const std::stop_token& stop) { tick(stop); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
  }

  void tick(const std::stop_token& stop) {
    std::mutex waiting;
    std::condition_variable_any stopped;
    std::unique_lock lock(waiting);
    while (!stopped.wait_for(lock, stop, kTick, [&stop] { return stop.stop_requested(); })) {
      exclusively([this](std::map<std::string, Stage>& stages) {
        const auto shown = stages.find(drawn_);
        const Time now = terminal().now();
        if (shown != stages.end() && due(shown->second, now, kTick)) {
          draw(shown->second, now);
        }
      });
    }
  }

  void draw(Stage& stage, Time now) {
    stage.shown = now;
    const unsigned columns = terminal().columns();
    // One column stays free: a letter in the last one makes some terminals go to the next line.
    const unsigned usable = columns == 0 ? 79 : columns - 1;
    put("\r" + progress_line(stage.last, now - stage.begun, usable, terminal().colour) + "\x1b[K");
    drawn_ = stage.last.stage;
  }

  void clear() {
    if (!drawn_.empty()) {
      put("\r\x1b[K");
      drawn_.clear();
    }
  }

  std::string drawn_;    // the stage whose bar stands on the terminal; empty: none
  std::jthread ticker_;  // the last member: it ends before the others
};

class PlainDisplay final : public Display {
 public:
  using Display::Display;

 private:
  void say(const ProgressEvent& event, Stage* stage, Time now) override {
    if (stage == nullptr) {
      put(event.kind == Kind::warning ? fmt::format("{} {}\n", warning_word(), printable(event.text))
                                      : printable(event.text) + "\n");
    } else if (event.kind == Kind::end) {
      put(ending(event, *stage, now));
    } else if (event.kind == Kind::begin) {
      stage->shown = now;
      put(fmt::format("{} …\n", printable(event.stage)));
    } else if (due(*stage, now, kPlainPause)) {
      stage->shown = now;
      put(progress_line(stage->last, now - stage->begun, 200, false) + "\n");
    }
  }
};

class JsonDisplay final : public Display {
 public:
  using Display::Display;

 private:
  void say(const ProgressEvent& event, Stage* stage, Time now) override {
    const bool last = stage != nullptr && stage->last.total > 0 && stage->last.done >= stage->last.total;
    if (event.kind == Kind::advance && !last && !due(*stage, now, kRedraw)) {
      return;
    }
    if (stage != nullptr) {
      stage->shown = now;
    }
    const ProgressEvent& known = stage != nullptr && event.kind == Kind::advance ? stage->last : event;
    nlohmann::json line{{"event", kind_word(event.kind)}};
    const auto add_text = [&](const char* key, const std::string& text) {
      if (!text.empty()) {
        line[key] = text;
      }
    };
    add_text("stage", event.stage);
    add_text("text", event.text);
    add_text("unit", known.unit);
    if (event.kind == Kind::advance || known.total > 0) {
      line["done"] = known.done;
    }
    if (known.total > 0) {
      line["total"] = known.total;
    }
    put(json_line(line) + "\n");
  }

  static std::string_view kind_word(Kind kind) {
    switch (kind) {
      case Kind::begin:
        return "begin";
      case Kind::advance:
        return "advance";
      case Kind::end:
        return "end";
      case Kind::note:
        return "note";
      case Kind::warning:
        return "warning";
    }
    return "note";
  }
};

// --progress=none: but a warning is not progress.
class WarningsOnly final : public Display {
 public:
  using Display::Display;

 private:
  void say(const ProgressEvent& event, Stage* /*stage*/, Time /*now*/) override {
    if (event.kind == Kind::warning) {
      put(fmt::format("{} {}\n", warning_word(), printable(event.text)));
    }
  }
};

}  // namespace

std::optional<ProgressMode> parse_progress_mode(std::string_view word) {
  static const std::map<std::string_view, ProgressMode> modes{{"auto", ProgressMode::automatic},
                                                              {"bar", ProgressMode::bar},
                                                              {"plain", ProgressMode::plain},
                                                              {"json", ProgressMode::json},
                                                              {"none", ProgressMode::none}};
  const auto found = modes.find(word);
  return found == modes.end() ? std::nullopt : std::optional(found->second);
}

ProgressTerminal progress_terminal(bool no_colour) {
  return {.stream = stderr,
          .colour = style_of(stderr, no_colour).colour,
          .columns = [] { return style_of(stderr, true).columns; },
          .now = [] { return std::chrono::steady_clock::now(); }};
}

std::unique_ptr<Progress> make_progress(ProgressMode mode, ProgressTerminal terminal) {
  if (mode == ProgressMode::automatic) {
    const char* kind = std::getenv("TERM");
    const bool moves_cursor = kind != nullptr && std::string_view(kind) != "dumb";
    const bool is_terminal = ::isatty(::fileno(terminal.stream)) != 0;
    mode = is_terminal && moves_cursor ? ProgressMode::bar : ProgressMode::plain;
  }
  switch (mode) {
    case ProgressMode::bar:
      return std::make_unique<BarDisplay>(std::move(terminal));
    case ProgressMode::json:
      return std::make_unique<JsonDisplay>(std::move(terminal));
    case ProgressMode::none:
      return std::make_unique<WarningsOnly>(std::move(terminal));
    case ProgressMode::automatic:
    case ProgressMode::plain:
      break;
  }
  return std::make_unique<PlainDisplay>(std::move(terminal));
}

}  // namespace domsmith
