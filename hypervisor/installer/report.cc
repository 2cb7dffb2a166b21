#include "hypervisor/installer/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "hypervisor/installer/http.h"

namespace domsmith {

using nlohmann::json;

Report::Report(std::string url, std::string host, Progress& progress)
    : url_(std::move(url)), host_(std::move(host)), progress_(progress) {}

void Report::tell(const std::string& event, const json& more) {
  if (url_.empty()) {
    return;
  }
  json document{{"schema", 1}, {"host", host_}, {"event", event}};
  document.update(more);
  if (const auto told = http_post(url_, json_text(document)); !told) {
    progress_.warning(fmt::format("no report is sent any more: {}", told.error().what));
    url_.clear();
  }
}

void Report::start() { tell("start", json::object()); }

void Report::step(std::size_t number, std::size_t all, const std::string& name) {
  tell("step", {{"step", number}, {"steps", all}, {"name", name}});
}

void Report::end(const json& receipt) { tell("end", {{"receipt", receipt}}); }

void Report::failure(const Error& error) {
  tell("failure", {{"error", error.what}, {"because", error.causes}, {"remedy", error.remedy}});
}

}  // namespace domsmith
