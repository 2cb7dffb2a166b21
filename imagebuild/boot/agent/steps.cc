#include "imagebuild/boot/agent/steps.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace domsmith::agent {
namespace {

constexpr std::string_view magic = "domsmith-steps 2\n";
constexpr std::size_t arguments_limit = 65536;
constexpr std::array<std::string_view, 10> kind_names{"exec",   "script",   "file",   "directory",     "symlink",
                                                      "remove", "timezone", "locale", "new_directory", "host_files"};

void put(std::string& out, std::string_view bytes) {
  out += std::to_string(bytes.size());
  out += ':';
  out += bytes;
  out += ',';
}

void put(std::string& out, std::uint64_t number) { put(out, std::to_string(number)); }

// Reads netstrings from the front of the bytes. After the first failure everything fails.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool failed() const { return !error_.empty(); }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] bool at_end() const { return position_ == bytes_.size(); }

  void fail(std::string_view what) {
    if (!failed()) {
      error_ = std::string(what) + " at byte " + std::to_string(position_);
    }
  }

  void magic_line() {
    if (!bytes_.starts_with(magic)) {
      return fail("not a list of steps of this version");
    }
    position_ = magic.size();
  }

  std::string text() {
    if (failed()) {
      return {};
    }
    std::size_t length = 0;
    const char* begin = bytes_.data() + position_;
    const char* end = bytes_.data() + bytes_.size();
    auto [next, code] = std::from_chars(begin, end, length);
    // A leading zero would give one text two spellings.
    if (code != std::errc() || (*begin == '0' && next != begin + 1) || next == end || *next != ':') {
      fail("no length");
      return {};
    }
    ++next;
    if (static_cast<std::size_t>(end - next) <= length || next[length] != ',') {
      fail("a text that does not end where its length says");
      return {};
    }
    position_ = static_cast<std::size_t>(next - bytes_.data()) + length + 1;
    return {next, length};
  }

  std::uint64_t number(std::uint64_t limit) {
    std::string digits = text();
    std::uint64_t value = 0;
    auto [next, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (!failed() && (code != std::errc() || next != digits.data() + digits.size() || value > limit)) {
      fail("a number out of range");
    }
    return failed() ? 0 : value;
  }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
  std::string error_;
};

StepKind read_kind(Reader& reader) {
  std::string name = reader.text();
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    if (kind_names[i] == name) {
      return static_cast<StepKind>(i);
    }
  }
  reader.fail("an unknown kind of step");
  return StepKind::exec;
}

Step read_step(Reader& reader) {
  Step step;
  step.kind = read_kind(reader);
  step.title = reader.text();
  step.path = reader.text();
  step.mode = static_cast<std::uint32_t>(reader.number(07777));
  step.owner = reader.text();
  step.group = reader.text();
  step.network = reader.number(1) == 1;
  for (auto arguments = reader.number(arguments_limit); arguments > 0 && !reader.failed(); --arguments) {
    step.argv.push_back(reader.text());
  }
  step.input = reader.text();
  return step;
}

}  // namespace

std::string_view kind_name(StepKind kind) { return kind_names.at(static_cast<std::size_t>(kind)); }

std::string encode_steps(const std::vector<Step>& steps) {
  std::string out(magic);
  put(out, steps.size());
  for (const Step& step : steps) {
    put(out, kind_name(step.kind));
    put(out, step.title);
    put(out, step.path);
    put(out, step.mode);
    put(out, step.owner);
    put(out, step.group);
    put(out, std::uint64_t{step.network});
    put(out, step.argv.size());
    for (const std::string& argument : step.argv) {
      put(out, argument);
    }
    put(out, step.input);
  }
  return out;
}

std::expected<std::vector<Step>, std::string> decode_steps(std::string_view bytes) {
  Reader reader(bytes);
  reader.magic_line();
  std::vector<Step> steps;
  for (auto count = reader.number(1U << 20); count > 0 && !reader.failed(); --count) {
    steps.push_back(read_step(reader));
  }
  if (!reader.failed() && !reader.at_end()) {
    reader.fail("bytes behind the last step");
  }
  if (reader.failed()) {
    return std::unexpected(reader.error());
  }
  return steps;
}

}  // namespace domsmith::agent
