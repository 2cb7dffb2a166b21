#include "provision/domain/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>

namespace domsmith {

std::string_view type_word(DomainType type) { return type == DomainType::pv ? "pv" : "pvh"; }

std::string_view action_word(DomainAction action) {
  switch (action) {
    case DomainAction::destroy:
      return "destroy";
    case DomainAction::restart:
      return "restart";
    case DomainAction::preserve:
      return "preserve";
    case DomainAction::coredump_destroy:
      return "coredump-destroy";
    case DomainAction::coredump_restart:
      return "coredump-restart";
  }
  return "destroy";
}

namespace {

// The value whose word this is.
template <class Value>
std::optional<Value> value_of(std::string_view word, std::initializer_list<Value> values,
                              std::string_view (*word_of)(Value)) {
  const auto* const found = std::ranges::find(values, word, word_of);
  return found == values.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::optional<DomainAction> parse_action(std::string_view word) {
  return value_of(word,
                  {DomainAction::destroy, DomainAction::restart, DomainAction::preserve, DomainAction::coredump_destroy,
                   DomainAction::coredump_restart},
                  action_word);
}

std::string_view tsc_word(TscMode mode) {
  switch (mode) {
    case TscMode::standard:
      return "default";
    case TscMode::always_emulate:
      return "always_emulate";
    case TscMode::native:
      return "native";
  }
  return "default";
}

std::optional<TscMode> parse_tsc(std::string_view word) {
  return value_of(word, {TscMode::standard, TscMode::always_emulate, TscMode::native}, tsc_word);
}

namespace {

bool is_mac_shape(std::string_view text) {
  if (text.size() != 17) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool separator = i % 3 == 2;
    if (separator ? text[i] != ':' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<std::string> parse_mac(std::string_view text) {
  if (!is_mac_shape(text)) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is not a MAC address", text),
                "write six pairs of hexadecimal digits: 00:16:3e:12:34:56");
  }
  std::string mac;
  for (const char c : text) {
    mac += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  // The lowest bit of the first octet: a group address (IEEE 802).
  if (std::string_view("13579bdf").find(mac[1]) != std::string_view::npos) {
    return fail(ErrorCode::bad_input, fmt::format("MAC address {} is a multicast address", mac),
                "use one whose second hexadecimal digit is even");
  }
  if (mac == "00:00:00:00:00:00") {
    return fail(ErrorCode::bad_input, "MAC address 00:00:00:00:00:00 belongs to nobody",
                "use one that begins with 00:16:3e, Xen's own range");
  }
  return mac;
}

}  // namespace domsmith
