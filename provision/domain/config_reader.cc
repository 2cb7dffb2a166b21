#include "provision/domain/config_reader.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"

extern "C" {  // it does not say so itself
#include <libxlutil.h>
}

namespace domsmith {
namespace {

// The name under which libxlutil reports; the real one may hold anything and goes into the Error.
constexpr const char* report_name = "xl.cfg";

// A FILE in memory that takes libxlutil's report.
class Report {
 public:
  Report() : stream_(open_memstream(&text_, &size_)) {}
  ~Report() {
    if (stream_ != nullptr) {
      std::fclose(stream_);
    }
    std::free(text_);
  }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;
  [[nodiscard]] FILE* stream() const { return stream_; }
  // What came since the last call, a line each.
  std::vector<std::string> take() {
    std::fflush(stream_);
    const std::string_view fresh(text_ + seen_, size_ - seen_);
    seen_ = size_;
    return split_lines(fresh);
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::size_t seen_ = 0;
  FILE* stream_;
};

struct ConfigDestroy {
  void operator()(XLU_Config* config) const { xlu_cfg_destroy(config); }
};

class Disk {
 public:
  Disk() { libxl_device_disk_init(&disk_); }
  ~Disk() { libxl_device_disk_dispose(&disk_); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  libxl_device_disk* get() { return &disk_; }
  libxl_device_disk* operator->() { return &disk_; }

 private:
  libxl_device_disk disk_{};
};

std::string text_of(const char* string) { return string == nullptr ? std::string() : std::string(string); }

// The first part of a disk's words that a DomainDisk cannot hold; empty: there is none.
std::string foreign_part(Disk& disk) {
  if (disk->format != LIBXL_DISK_FORMAT_RAW) {
    return "another format than raw";
  }
  if (disk->backend != LIBXL_DISK_BACKEND_UNKNOWN && disk->backend != LIBXL_DISK_BACKEND_PHY) {
    return "another backend than phy";
  }
  if (disk->script != nullptr) {
    return "a script";
  }
  if (disk->backend_domname != nullptr) {
    return "a backend domain";
  }
  if (disk->is_cdrom != 0 || disk->removable != 0) {
    return "a CD-ROM drive";
  }
  if (disk->direct_io_safe || !libxl_defbool_is_default(disk->discard_enable) ||
      !libxl_defbool_is_default(disk->colo_enable)) {
    return "direct-io-safe, discard or colo";
  }
  return {};
}

}  // namespace

struct ConfigReader::State {
  std::string file;
  std::vector<std::string> lines;
  Report report;
  std::unique_ptr<XLU_Config, ConfigDestroy> config;

  [[nodiscard]] std::optional<SourcePoint> point(unsigned line) const {
    if (line == 0 || line > lines.size()) {
      return std::nullopt;
    }
    const auto& text = lines[line - 1];
    const auto indent = text.find_first_not_of(" \t");
    const auto start = indent == std::string::npos ? 0 : indent;
    return SourcePoint{.file = file,
                       .line = line,
                       .column = static_cast<unsigned>(start + 1),
                       .text = text,
                       .width = static_cast<unsigned>(std::max<std::size_t>(1, text.size() - start)),
                       .hint = {}};
  }

  // "xl.cfg:7: config parsing error near `x': syntax error" -> an Error at line 7 that says what stands behind.
  [[nodiscard]] Error error_of(std::string_view line) const {
    Error error{.code = ErrorCode::bad_input, .what = {}, .where = {}, .causes = {}, .remedy = {}, .others = {}};
    line.remove_prefix(std::min(line.size(), std::string_view(report_name).size() + 1));
    unsigned number = 0;
    const auto [end, fault] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (fault == std::errc()) {
      line.remove_prefix(static_cast<std::size_t>(end - line.data()));
      error.where = point(number);
    }
    const auto start = line.find_first_not_of(": ");
    error.what = start == std::string_view::npos ? "xl cannot read this" : std::string(line.substr(start));
    if (!error.where) {
      error.what = fmt::format("{}: {}", file, error.what);
    }
    return error;
  }

  // What the report holds since last time, as one Error.
  std::unexpected<Error> refused(std::string fallback) {
    std::vector<Error> errors;
    for (const auto& line : report.take()) {
      if (line.starts_with(std::string(report_name) + ":")) {
        errors.push_back(error_of(line));
      }
    }
    if (errors.empty()) {
      return fail(ErrorCode::bad_input, fmt::format("{}: {}", file, fallback));
    }
    Error first = std::move(errors.front());
    first.others.assign(std::make_move_iterator(errors.begin() + 1), std::make_move_iterator(errors.end()));
    return std::unexpected(std::move(first));
  }
};

ConfigReader::ConfigReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ConfigReader::ConfigReader(ConfigReader&&) noexcept = default;
ConfigReader& ConfigReader::operator=(ConfigReader&&) noexcept = default;
ConfigReader::~ConfigReader() = default;

Result<ConfigReader> ConfigReader::parse(std::string_view text, std::string_view file) {
  constexpr std::size_t limit = 1U << 20;
  if (text.size() > limit || text.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::bad_input, fmt::format("{} is not a domain config: it {}", file,
                                                  text.size() > limit ? "is larger than 1 MiB" : "holds a null byte"));
  }
  auto state = std::make_unique<State>();
  state->file = std::string(file);
  state->lines = split_lines(text);
  if (state->report.stream() == nullptr) {
    return fail_errno("cannot make a buffer for libxlutil's report", errno);
  }
  state->config.reset(xlu_cfg_init(state->report.stream(), report_name));
  if (!state->config) {
    return fail_errno("cannot start libxlutil", ENOMEM);
  }
  // The grammar's last assignment needs its newline when a comment follows it without one (libxlu_cfg_l.l).
  std::string data(text);
  if (!data.ends_with('\n')) {
    data += '\n';
  }
  if (xlu_cfg_readdata(state->config.get(), data.data(), static_cast<int>(data.size())) != 0) {
    return state->refused("xl cannot read it");
  }
  return ConfigReader(std::move(state));
}

Result<std::optional<std::string>> ConfigReader::string(const char* key) {
  const char* value = nullptr;
  const int status = xlu_cfg_get_string(state_->config.get(), key, &value, 0);
  if (status == ESRCH) {
    return std::nullopt;
  }
  if (status != 0) {
    return state_->refused(fmt::format("'{}' is not a string", key));
  }
  return text_of(value);
}

Result<std::optional<std::int64_t>> ConfigReader::integer(const char* key) {
  long value = 0;
  const int status = xlu_cfg_get_long(state_->config.get(), key, &value, 0);
  if (status == ESRCH) {
    return std::nullopt;
  }
  if (status != 0) {
    return state_->refused(fmt::format("'{}' is not a number", key));
  }
  return value;
}

Result<std::vector<std::string>> ConfigReader::list(const char* key) {
  XLU_ConfigList* list = nullptr;
  int entries = 0;
  const int status = xlu_cfg_get_list(state_->config.get(), key, &list, &entries, 0);
  if (status == ESRCH) {
    return std::vector<std::string>{};
  }
  if (status != 0) {
    return state_->refused(fmt::format("'{}' is not a list", key));
  }
  std::vector<std::string> items;
  for (int i = 0; i < entries; ++i) {
    const char* item = xlu_cfg_get_listitem(list, i);
    if (item == nullptr) {
      return fail(ErrorCode::bad_input, fmt::format("{}: '{}' holds a list in a list", state_->file, key));
    }
    items.emplace_back(item);
  }
  return items;
}

Result<DomainDisk> ConfigReader::disk(const std::string& words, bool any) {
  Disk disk;
  const char* const specification = words.c_str();
  if (xlu_disk_parse(state_->config.get(), 1, &specification, disk.get()) != 0) {
    return state_->refused(fmt::format("xl cannot read the disk '{}'", words));
  }
  if (const auto part = foreign_part(disk); !part.empty() && !any) {
    return fail(ErrorCode::unsupported, fmt::format("{}: the disk '{}' has {}", state_->file, words, part),
                fmt::format("start this guest with: xl create {}", state_->file));
  }
  return DomainDisk{.target = text_of(disk->pdev_path),
                    .vdev = text_of(disk->vdev),
                    .writable = disk->readwrite != 0,
                    .phy = disk->backend == LIBXL_DISK_BACKEND_PHY};
}

Result<VifRate> read_vif_rate(const std::string& text) {
  Report report;
  const std::unique_ptr<XLU_Config, ConfigDestroy> config(
      report.stream() == nullptr ? nullptr : xlu_cfg_init(report.stream(), report_name));
  if (!config) {
    return fail_errno("cannot start libxlutil", ENOMEM);
  }
  libxl_device_nic nic;
  libxl_device_nic_init(&nic);
  errno = 0;  // libxlutil looks at ERANGE without clearing it
  const int status = xlu_vif_parse_rate(config.get(), text.c_str(), &nic);
  const VifRate rate{.bytes_per_interval = nic.rate_bytes_per_interval, .interval_usecs = nic.rate_interval_usecs};
  libxl_device_nic_dispose(&nic);
  if (status != 0 || rate.bytes_per_interval == 0) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is not a rate", text),
                "write it as 100Mb/s, or with an interval as 1MB/s@20ms");
  }
  return rate;
}

}  // namespace domsmith
