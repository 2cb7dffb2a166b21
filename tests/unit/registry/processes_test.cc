// Many processes on one registry, and processes that die in the middle.
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <set>

#include "base/interrupt.h"
#include "base/text.h"
#include "provision/registry/database.h"
#include "provision/registry/names.h"
#include "tests/unit/registry/registry_support.h"

namespace domsmith {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      throw std::runtime_error("pipe2");
    }
    out = Fd(ends[0]);
    in = Fd(ends[1]);
  }
  Fd out, in;
};

// A forked process that runs `work`; what it returns (an error's text, or nothing) comes through a pipe.
class Worker {
 public:
  explicit Worker(const std::function<std::string()>& work) {
    pid_ = fork();
    if (pid_ == 0) {
      report_.out.reset();
      std::string said;
      try {
        said = work();
      } catch (const std::exception& exception) {
        said = exception.what();
      }
      (void)write_all(report_.in.get(), said);
      _exit(0);
    }
    report_.in.reset();
  }
  Worker(Worker&& other) noexcept : pid_(std::exchange(other.pid_, -1)), report_(std::move(other.report_)) {}
  ~Worker() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  // Waits for the end. "" is success.
  std::string finish() {
    std::string said;
    std::array<std::byte, 4096> part{};
    for (std::size_t got = 1; got != 0;) {
      got = value_of(read_some(report_.out.get(), part));
      said.append(reinterpret_cast<const char*>(part.data()), got);
    }
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? said : said + fmt::format("(died of signal {})", WTERMSIG(status));
  }
  void kill_now() {
    kill(pid_, SIGKILL);
    waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  Pipe report_;
};

// Holds the workers back until all are there.
class StartLine {
 public:
  void wait() {
    line_.in.reset();
    std::array<std::byte, 1> none{};
    (void)read_some(line_.out.get(), none);
  }
  void go() { line_.in.reset(); }

 private:
  Pipe line_;
};

class Processes : public RegistryTest {
 protected:
  static constexpr int kProcesses = 16;

  void with_image() const {
    auto registry = open();
    add_image(registry);
  }
  // Runs `work(number)` in kProcesses processes at once; gives what they said, "" from each being success.
  static std::set<std::string> race(const std::function<std::string(int)>& work) {
    StartLine line;
    std::vector<Worker> workers;
    workers.reserve(kProcesses);
    for (int number = 0; number < kProcesses; ++number) {
      workers.emplace_back([&, number] {
        line.wait();
        return work(number);
      });
    }
    line.go();
    std::set<std::string> said;
    for (auto& worker : workers) {
      said.insert(worker.finish());
    }
    return said;
  }
  void expect_sound() const {
    EXPECT_EQ(value_of(value_of(Database::open(file_, {}))->text("PRAGMA integrity_check")), "ok");
    EXPECT_EQ(value_of(value_of(Database::open(file_, {}))->integer("SELECT count(*) FROM pragma_foreign_key_check")),
              0);
  }
};

TEST_F(Processes, AllOpenANewRegistryAtOnce) {
  for (int round = 0; round < 10; ++round) {
    file_ = directory_.path() / fmt::format("round-{}", round) / "registry.sqlite";
    const auto said = race([&](int) {
      auto registry = Registry::open(file_);
      return registry ? std::string() : error_text(registry.error());
    });
    EXPECT_EQ(said, std::set<std::string>{""});
  }
}

TEST_F(Processes, SixteenTimesTwoHundredGuestsShareNothing) {
  with_image();
  const auto said = race([&](int number) -> std::string {
    auto registry = open();
    for (int batch = 0; batch < 20; ++batch) {
      const auto operation = fmt::format("op-{}-{}", number, batch);
      value_of(
          registry.reserve_guests(test_requests(fmt::format("g{}-{}", number, batch), 10), test_options(operation)));
      value_of(registry.complete_guests(operation));
    }
    return "";
  });
  EXPECT_EQ(said, std::set<std::string>{""});
  std::set<std::string> names, macs, machine_ids, uuids;
  for (const auto& guest : value_of(open().list_guests())) {
    names.insert(guest.name);
    macs.insert(guest.identity.macs.at(0));
    machine_ids.insert(guest.identity.machine_id);
    uuids.insert(guest.uuid);
    EXPECT_EQ(guest.state, GuestState::ready);
  }
  for (const auto& each : {names, macs, machine_ids, uuids}) {
    EXPECT_THAT(each, SizeIs(3200));
  }
  expect_sound();
}

TEST_F(Processes, OneOfSixteenGetsAName) {
  with_image();
  Pipe winners;
  const auto said = race([&](int number) -> std::string {
    auto registry = open();
    const auto made = registry.reserve_guests(test_requests("web", 20), test_options(fmt::format("op-{}", number)));
    if (made) {
      value_of(write_all(winners.in.get(), "w"));
      return "";
    }
    return made.error().code == ErrorCode::exists ? "" : error_text(made.error());
  });
  EXPECT_EQ(said, std::set<std::string>{""});
  winners.in.reset();
  std::array<std::byte, 16> won{};
  EXPECT_EQ(value_of(read_some(winners.out.get(), won)), 1U);
  EXPECT_THAT(value_of(open().list_guests()), SizeIs(20));
}

TEST_F(Processes, OneSmallMacPrefixIsSharedOutToTheLast) {
  with_image();
  const auto said = race([&](int number) -> std::string {
    auto registry = open();
    auto options = test_options(fmt::format("op-{}", number));
    options.mac_policy = value_of(MacPolicy::parse("02:00:00:00:01"));
    value_of(registry.reserve_guests(test_requests(fmt::format("g{}", number), 16), options));
    return "";
  });
  EXPECT_EQ(said, std::set<std::string>{""});
  std::set<std::string> macs;
  for (const auto& guest : value_of(open().list_guests())) {
    macs.insert(guest.identity.macs.at(0));
  }
  EXPECT_THAT(macs, SizeIs(256));
}

// Each batch of a process that was killed is whole or absent, and the registry goes on.
TEST_F(Processes, KilledInTheMiddle) {
  with_image();
  constexpr std::uint32_t kBatch = 40;
  for (int round = 0; round < 12; ++round) {
    Pipe progress;
    Worker worker([&]() -> std::string {
      auto registry = open();
      for (int batch = 0;; ++batch) {
        const auto name = fmt::format("r{}-{}", round, batch);
        value_of(registry.reserve_guests(test_requests(name, kBatch), test_options("op-" + name)));
        value_of(write_all(progress.in.get(), "x"));
      }
    });
    std::vector<std::byte> reports(static_cast<std::size_t>(round) + 1);
    value_of(read_exactly(progress.out.get(), reports));
    worker.kill_now();

    auto registry = open();
    const auto operations = value_of(registry.operations());
    const auto reported = std::ranges::count_if(
        operations, [&](const std::string& each) { return each.starts_with(fmt::format("op-r{}-", round)); });
    EXPECT_GE(reported, round + 1);
    for (const auto& operation : operations) {
      EXPECT_THAT(value_of(registry.rows_of_operation(operation)).guests, SizeIs(kBatch)) << operation;
    }
    expect_sound();
  }
}

TEST_F(Processes, KilledWithTheWriteLockInHand) {
  with_image();
  Pipe holds;
  Worker holder([&]() -> std::string {
    const auto database = value_of(Database::open(file_, {}));
    const auto transaction = value_of(Transaction::begin(*database, Transaction::Kind::write));
    value_of(database->execute("DELETE FROM images"));
    value_of(write_all(holds.in.get(), "x"));
    pause();
    return "";
  });
  std::array<std::byte, 1> report{};
  value_of(read_exactly(holds.out.get(), report));
  auto impatient = value_of(Registry::open(file_, {.patience = std::chrono::milliseconds(30)}));
  EXPECT_THAT(impatient.reserve_guests(test_requests("web", 1), test_options()),
              FailsWith(ErrorCode::busy, HasSubstr("held the registry")));
  holder.kill_now();
  value_of(impatient.reserve_guests(test_requests("web", 1), test_options()));
}

TEST_F(Processes, AnInterruptEndsTheWait) {
  with_image();
  Worker waiter([&]() -> std::string {
    const auto holder = value_of(Database::open(file_, {}));
    const auto held = value_of(Transaction::begin(*holder, Transaction::Kind::write));
    const auto database = value_of(Database::open(file_, {.patience_interrupted = std::chrono::milliseconds(20)}));
    catch_interrupts();
    raise(SIGINT);
    const auto refused = Transaction::begin(*database, Transaction::Kind::write);
    return !refused && refused.error().code == ErrorCode::interrupted ? "" : "not interrupted";
  });
  EXPECT_EQ(waiter.finish(), "");
}

// --- as a user who may not

std::string as_nobody(const std::function<std::string()>& work) {
  Worker worker([&]() -> std::string {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) {
      return "cannot become nobody";
    }
    return work();
  });
  return worker.finish();
}

TEST_F(Processes, AFolderThatMayNotBeWritten) {
  std::filesystem::create_directories(file_.parent_path());
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(file_.parent_path().c_str(), 0555), 0);
  for (const auto& file : {file_, file_.parent_path() / "deeper" / "registry.sqlite"}) {
    const auto said = as_nobody([&] {
      const auto refused = Registry::open(file);
      return refused ? "opened" : error_text(refused.error());
    });
    EXPECT_THAT(said, HasSubstr("error: cannot make the registry " + file.string()));
    EXPECT_THAT(said, HasSubstr("ermission denied"));
    EXPECT_THAT(said, HasSubstr("--root DIR"));
  }
}

TEST_F(Processes, ARegistryOfSomebodyElse) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root to be somebody else";
  }
  with_image();
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  for (const bool read_only : {false, true}) {
    const auto said = as_nobody([&] {
      const auto refused = Registry::open(file_, {.read_only = read_only});
      return refused ? "opened" : error_text(refused.error());
    });
    EXPECT_THAT(said, HasSubstr("error: cannot open the registry " + file_.string()));
    EXPECT_THAT(said, HasSubstr("run the command as the owner of"));
  }
}

// --- a file system of its own, in a mount namespace

std::string on_small_tmpfs(const std::filesystem::path& folder, const std::function<std::string()>& work) {
  Worker worker([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("small", folder.c_str(), "tmpfs", 0, "size=512k") != 0) {
      return "no mount";
    }
    return work();
  });
  return worker.finish();
}

TEST_F(Processes, AFullDisk) {
  std::filesystem::create_directories(file_.parent_path());
  const auto said = on_small_tmpfs(file_.parent_path(), [&]() -> std::string {
    with_image();
    auto registry = open();
    for (int batch = 0;; ++batch) {
      const auto made = registry.reserve_guests(test_requests(fmt::format("g{}", batch), 50),
                                                test_options(fmt::format("op-{}", batch)));
      if (made) {
        continue;
      }
      const auto left = value_of(registry.list_guests()).size();
      const bool sound = left == static_cast<std::size_t>(batch) * 50;
      return made.error().code == ErrorCode::no_space && sound
                 ? error_text(made.error())
                 : fmt::format("{} guests, {}", left, error_text(made.error()));
    }
  });
  if (said == "no mount") {
    GTEST_SKIP() << "this user may not mount";
  }
  EXPECT_THAT(said, HasSubstr("free some space on the file system of"));
  EXPECT_THAT(said, HasSubstr("error: cannot"));
}

TEST_F(Processes, AReadOnlyFileSystemCanBeListed) {
  std::filesystem::create_directories(file_.parent_path());
  const auto said = on_small_tmpfs(file_.parent_path(), [&]() -> std::string {
    with_image();
    if (mount("none", file_.parent_path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      return "cannot remount";
    }
    auto reader = value_of(Registry::open(file_, {.read_only = true}));
    const auto images = value_of(reader.list_images());
    const auto writer = Registry::open(file_);
    return fmt::format("{} image, {}", images.size(), writer ? "opened" : error_text(writer.error()));
  });
  if (said == "no mount") {
    GTEST_SKIP() << "this user may not mount";
  }
  EXPECT_THAT(said, HasSubstr("1 image, "));
  EXPECT_THAT(said, HasSubstr("error: cannot"));
}

}  // namespace
}  // namespace domsmith
