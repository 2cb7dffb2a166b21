#include "base/worker.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/unit/sources/support.h"

namespace domsmith {
namespace {

using testing::HasSubstr;

Result<void> in_worker(const WorkerOptions& options, const Worker::Work& work) {
  Worker worker = TRY(Worker::start(options, work));
  return worker.finish();
}

TEST(Worker, SendsWhatItWritesAndItsError) {
  Worker worker = must(Worker::start({}, [](int out) { return write_all(out, "hello"); }));
  std::string words(5, '\0');
  must(read_exactly(worker.out(), std::as_writable_bytes(std::span(words))));
  EXPECT_EQ(words, "hello");
  EXPECT_TRUE(worker.finish());

  const auto failed = in_worker({}, [](int) { return fail(ErrorCode::no_space, "it is \x1b[2J full", "make room"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::no_space);
  EXPECT_EQ(failed.error().what, "it is ?[2J full");
  EXPECT_EQ(failed.error().remedy, "make room");
}

TEST(Worker, SealedItOpensNothing) {
  const auto opened = in_worker({}, [](int) -> Result<void> {
    return ::open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? Result<void>()
                                                                              : fail(ErrorCode::failed, "opened");
  });
  EXPECT_TRUE(opened) << words_of(opened.error());
}

TEST(Worker, SealedItIsEndedForAnythingElse) {
  const auto talked = in_worker({}, [](int) -> Result<void> {
    ::socket(AF_INET, SOCK_STREAM, 0);
    return {};
  });
  ASSERT_FALSE(talked);
  EXPECT_EQ(talked.error().code, ErrorCode::bad_input);
  EXPECT_THAT(talked.error().what, HasSubstr("SIGSYS"));
  const auto forked = in_worker({}, [](int) -> Result<void> {
    ::fork();
    return {};
  });
  EXPECT_FALSE(forked);
}

TEST(Worker, HasOnlyTheDescriptorsItWasGiven) {
  const Fd given = must(open_fd("/dev/zero", O_RDONLY));
  const Fd other = must(open_fd("/dev/zero", O_RDONLY));
  WorkerOptions options;
  options.keep = {given.get()};
  EXPECT_TRUE(in_worker(options, [&](int) -> Result<void> {
    std::byte byte{};
    TRY(read_exactly(given.get(), {&byte, 1}));
    return ::read(other.get(), &byte, 1) < 0 && errno == EBADF ? Result<void>() : fail(ErrorCode::failed, "read it");
  }));
}

TEST(Worker, IsEndedWithItsObject) {
  pid_t pid = 0;
  {
    const Worker worker = must(Worker::start({}, [](int) -> Result<void> {
      for (;;) {
        asm volatile("");
      }
    }));
    pid = worker.pid();
  }
  EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(Worker, MayNotTakeAllMemory) {
  WorkerOptions options;
  options.memory = 64U << 20;
  const auto greedy = in_worker(options, [](int) -> Result<void> {
    const std::string much(512U << 20, 'x');
    return much.empty() ? fail(ErrorCode::failed, "") : Result<void>();
  });
  ASSERT_FALSE(greedy);
  EXPECT_THAT(greedy.error().what, HasSubstr("memory"));
}
#endif

TEST(Worker, IsEndedWhenItsTimeIsUp) {
  WorkerOptions options;
  options.cpu_seconds = 1;
  const auto slow = in_worker(options, [](int) -> Result<void> {
    for (;;) {
      asm volatile("");
    }
  });
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().remedy, "it took too long");
}

// The kernel ends processes where memory is short, in a word that somebody else may use, too.
TEST(Worker, ThatIsKilledIsNotSlow) {
  Worker worker = must(Worker::start({}, [](int) -> Result<void> {
    for (;;) {
      asm volatile("");
    }
  }));
  ::kill(worker.pid(), SIGKILL);
  const auto killed = worker.finish();
  ASSERT_FALSE(killed);
  EXPECT_EQ(killed.error().remedy, "the machine had too little memory for it, unless somebody ended it");
}

}  // namespace
}  // namespace domsmith
