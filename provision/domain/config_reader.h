// libxlutil (libxlutil.h), the parser of xl.cfg(5), behind Results: what it would print becomes part of an Error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "provision/domain/spec.h"

namespace domsmith {

class ConfigReader {
 public:
  // bad_input with file:line for text that libxlutil refuses.
  static Result<ConfigReader> parse(std::string_view text, std::string_view file);
  ConfigReader(ConfigReader&&) noexcept;
  ConfigReader& operator=(ConfigReader&&) noexcept;
  ~ConfigReader();

  // nullopt: the key is not there. bad_input where its value is of another kind.
  Result<std::optional<std::string>> string(const char* key);
  Result<std::optional<std::int64_t>> integer(const char* key);
  Result<std::vector<std::string>> list(const char* key);  // empty where the key is absent

  // A disk's words (xlu_disk_parse). unsupported for what a DomainDisk has no place for, unless `any`.
  Result<DomainDisk> disk(const std::string& words, bool any = false);

 private:
  struct State;
  explicit ConfigReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

Result<VifRate> read_vif_rate(const std::string& text);  // xlu_vif_parse_rate

}  // namespace domsmith
