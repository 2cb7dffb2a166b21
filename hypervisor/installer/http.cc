#include "hypervisor/installer/http.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

#include "base/fd.h"

namespace domsmith {
namespace {

constexpr int patience = 30;         // seconds for each thing that is waited for
constexpr int longest_answer = 120;  // seconds for all of one
constexpr std::uint64_t answer_limit = 64U << 10;

// A machine that has just started may not have its address yet.
bool no_network_yet(int code, int why) {
  return code == EAI_AGAIN || code == EAI_ADDRFAMILY || why == ENETUNREACH || why == EHOSTUNREACH || why == ENETDOWN;
}

struct Attempt {
  Result<Fd> fd;
  bool again = false;
};

Attempt connect_once(const HttpPlace& place) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found); code != 0) {
    return {.fd = fail(ErrorCode::failed, fmt::format("cannot find the host {}: {}", place.host, ::gai_strerror(code))),
            .again = no_network_yet(code, 0)};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
  int why = 0;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Fd fd(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, one->ai_protocol));
    const timeval limit{.tv_sec = patience, .tv_usec = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (fd && ::connect(fd.get(), one->ai_addr, one->ai_addrlen) == 0) {
      return {.fd = std::move(fd)};
    }
    why = errno;
  }
  return {.fd = fail_errno(fmt::format("cannot connect to {} port {}", place.host, place.port), why),
          .again = no_network_yet(0, why)};
}

Result<Fd> connected(const HttpPlace& place) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(patience);
  for (;;) {
    Attempt attempt = connect_once(place);
    if (attempt.fd || !attempt.again || std::chrono::steady_clock::now() >= deadline) {
      return std::move(attempt.fd);
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

// All that the other side says until it closes: HTTP/1.0 has no other end.
Result<std::string> conversation(const HttpPlace& place, const std::string& request, std::uint64_t limit) {
  const Fd fd = TRY(connected(place));
  // A peer that is gone is an error, and no signal.
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t count = ::send(fd.get(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (count < 0) {
      return fail_errno(fmt::format("cannot send to {}", place.host), errno);
    }
    sent += static_cast<std::size_t>(count);
  }
  std::string answer;
  std::array<std::byte, 4096> piece{};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(longest_answer);
  for (;;) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(ErrorCode::failed, fmt::format("{} does not come to an end of its answer", place.host));
    }
    const ssize_t count = ::recv(fd.get(), piece.data(), piece.size(), 0);
    if (count < 0 && errno != EINTR) {
      return fail_errno(fmt::format("{} does not answer", place.host), errno);
    }
    if (count == 0) {
      return answer;
    }
    answer.append(reinterpret_cast<const char*>(piece.data()), count < 0 ? 0 : static_cast<std::size_t>(count));
    if (answer.size() > limit) {
      return fail(ErrorCode::failed, fmt::format("{} answers with more than {} bytes", place.host, limit));
    }
  }
}

// The body, where the status is 2xx.
Result<std::string> body_of(const std::string& answer, const std::string& url) {
  const auto end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || answer.size() < 13 || end == std::string::npos) {
    return fail(ErrorCode::failed, fmt::format("{}: the answer is no HTTP", url));
  }
  if (answer[9] != '2') {
    return fail(ErrorCode::failed, fmt::format("{}: {}", url, answer.substr(9, answer.find('\r') - 9)));
  }
  return answer.substr(end + 4);
}

}  // namespace

Result<HttpPlace> http_place(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) {
    return fail(ErrorCode::bad_input, fmt::format("'{}' is no http:// URL", url),
                "http:// is all that the medium speaks");
  }
  url.remove_prefix(scheme.size());
  const auto slash = std::min(url.find('/'), url.size());
  std::string_view authority = url.substr(0, slash);
  HttpPlace place{.host = {}, .port = "80", .path = slash == url.size() ? "/" : std::string(url.substr(slash))};
  // "[2001:db8::1]:8080"
  const auto bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    place.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  place.host = bracket == std::string_view::npos ? authority : authority.substr(1, bracket - 1);
  if (place.host.empty() || place.port.empty()) {
    return fail(ErrorCode::bad_input, fmt::format("the URL '{}' names no host", url));
  }
  return place;
}

Result<std::string> http_get(const std::string& url, std::uint64_t limit) {
  const HttpPlace place = TRY(http_place(url));
  const std::string request =
      fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: domsmith\r\n\r\n", place.path, place.host);
  return body_of(TRY(conversation(place, request, limit + answer_limit)), url);
}

Result<void> http_post(const std::string& url, const std::string& json) {
  const HttpPlace place = TRY(http_place(url));
  const std::string request = fmt::format(
      "POST {} HTTP/1.0\r\nHost: {}\r\nUser-Agent: domsmith\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n{}",
      place.path, place.host, json.size(), json);
  TRY(body_of(TRY(conversation(place, request, answer_limit)), url));
  return {};
}

}  // namespace domsmith
