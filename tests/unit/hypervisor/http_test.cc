// HTTP of the installer, against a server in a thread that answers once.
#include "hypervisor/installer/http.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/fd.h"
#include "hypervisor/installer/report.h"

namespace domsmith {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Takes one connection, keeps what it is asked, answers, closes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listening_.get(), 1), 0);
    ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] { serve(answer); });
  }
  ~OneAnswer() { thread_.join(); }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/x?y", port_); }
  std::string asked() {
    thread_.join();
    thread_ = std::thread([] {});
    return asked_;
  }

 private:
  void serve(const std::string& answer) {
    const Fd fd(::accept(listening_.get(), nullptr, nullptr));
    std::array<char, 4096> piece{};
    while (asked_.find("\r\n\r\n") == std::string::npos || (asked_.starts_with("POST") && !asked_.ends_with("}\n"))) {
      const ssize_t count = ::recv(fd.get(), piece.data(), piece.size(), 0);
      if (count <= 0) {
        return;
      }
      asked_.append(piece.data(), static_cast<std::size_t>(count));
    }
    EXPECT_TRUE(write_all(fd.get(), answer));
  }
  Fd listening_;
  std::uint16_t port_ = 0;
  std::string asked_;
  std::thread thread_;
};

struct Warnings final : Progress {
  void event(const ProgressEvent& event) override { texts.push_back(event.text); }
  std::vector<std::string> texts;
};

TEST(Http, APlaceIsReadFromAUrl) {
  const auto plain = http_place("http://install.example.net");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "install.example.net");
  EXPECT_EQ(plain->port, "80");
  EXPECT_EQ(plain->path, "/");
  const auto numbers = http_place("http://[2001:db8::1]:8080/a/b?c");
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->host, "2001:db8::1");
  EXPECT_EQ(numbers->port, "8080");
  EXPECT_EQ(numbers->path, "/a/b?c");
  EXPECT_FALSE(http_place("https://install.example.net/"));
  EXPECT_FALSE(http_place("http:///x"));
}

TEST(Http, GetsTheBody) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nanswer");
  const auto body = http_get(server.url(), 100);
  ASSERT_TRUE(body) << body.error().what;
  EXPECT_EQ(*body, "answer");
  EXPECT_THAT(server.asked(), HasSubstr("GET /x?y HTTP/1.0\r\nHost: 127.0.0.1\r\n"));
}

TEST(Http, SaysTheStatusOfARefusal) {
  OneAnswer server("HTTP/1.0 404 Not Found\r\n\r\nnothing");
  EXPECT_THAT(http_get(server.url(), 100).error().what, HasSubstr("404 Not Found"));
}

TEST(Report, TellsEachStep) {
  OneAnswer server("HTTP/1.0 204 No Content\r\n\r\n");
  Warnings progress;
  Report(server.url(), "xen1", progress).step(3, 9, "volumes");
  const std::string asked = server.asked();
  const auto told = nlohmann::json::parse(asked.substr(asked.find("\r\n\r\n") + 4));
  EXPECT_EQ(told,
            nlohmann::json::parse(R"({"schema":1,"host":"xen1","event":"step","step":3,"steps":9,"name":"volumes"})"));
  EXPECT_THAT(progress.texts, ElementsAre());
}

TEST(Report, TellsWhyAnInstallationFailed) {
  OneAnswer server("HTTP/1.0 204 No Content\r\n\r\n");
  Warnings progress;
  Error error;
  error.what = "the disk is full";
  error.causes = {"ENOSPC"};
  error.remedy = "take another";
  Report(server.url(), "xen1", progress).failure(error);
  const std::string asked = server.asked();
  EXPECT_EQ(
      nlohmann::json::parse(asked.substr(asked.find("\r\n\r\n") + 4)),
      nlohmann::json::parse(
          R"({"schema":1,"host":"xen1","event":"failure","error":"the disk is full","because":["ENOSPC"],"remedy":"take another"})"));
}

TEST(Report, WhoDoesNotAnswerIsNotAskedAgain) {
  Warnings progress;
  std::string url;
  {
    OneAnswer server("HTTP/1.0 500 No\r\n\r\n");
    url = server.url();
    Report report(url, "xen1", progress);
    report.start();
    report.step(1, 9, "erase");
  }
  EXPECT_THAT(progress.texts, ElementsAre(HasSubstr("no report is sent any more")));
}

}  // namespace
}  // namespace domsmith
