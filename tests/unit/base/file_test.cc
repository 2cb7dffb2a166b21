#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/interrupt.h"

namespace domsmith {
namespace {

namespace fs = std::filesystem;

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(WriteFileAtomic, writes_with_mode_and_makes_parents) {
  const auto dir = TemporaryDirectory::make();
  const fs::path path = dir->path() / "a" / "b";
  ASSERT_TRUE(write_file_atomic(path, "one", 0600));
  ASSERT_TRUE(write_file_atomic(path, "two", 0640));
  EXPECT_EQ(*read_file(path), "two");
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
  EXPECT_EQ(entries(path.parent_path()), 1U);
}

TEST(WriteFileAtomic, leaves_nothing_behind_when_it_fails) {
  const auto dir = TemporaryDirectory::make();
  const fs::path path = dir->path() / "x";
  fs::create_directory(path);  // rename(2) of a file over a folder fails
  const auto written = write_file_atomic(path, "bytes");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().what.find("cannot write"), std::string::npos);
  EXPECT_EQ(entries(dir->path()), 1U);
}

TEST(WriteFileAtomic, replaces_a_link_and_not_what_it_points_to) {
  const auto dir = TemporaryDirectory::make();
  ASSERT_TRUE(write_file_atomic(dir->path() / "victim", "old"));
  fs::create_symlink("victim", dir->path() / "link");
  ASSERT_TRUE(write_file_atomic(dir->path() / "link", "new"));
  EXPECT_EQ(*read_file(dir->path() / "victim"), "old");
}

TEST(ReadFile, has_a_limit_and_knows_folders) {
  const auto dir = TemporaryDirectory::make();
  ASSERT_TRUE(write_file_atomic(dir->path() / "f", std::string(1000, 'x')));
  EXPECT_EQ(read_file(dir->path() / "f", 1000)->size(), 1000U);
  EXPECT_FALSE(read_file(dir->path() / "f", 999));
  EXPECT_FALSE(read_file(dir->path()));
  EXPECT_EQ(read_file(dir->path() / "none").error().code, ErrorCode::not_found);
}

TEST(FileLock, keeps_another_process_out_and_ends_with_its_process) {
  const auto dir = TemporaryDirectory::make();
  const fs::path path = dir->path() / "lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto held = FileLock::acquire(path);
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(held ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(FileLock::try_acquire(path).error().code, ErrorCode::busy);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(FileLock::try_acquire(path));
}

TEST(TemporaryDirectory, is_private_and_goes_away) {
  fs::path path;
  {
    const auto dir = TemporaryDirectory::make("x-");
    path = dir->path();
    std::ofstream(path / "file") << "x";
    EXPECT_EQ(fs::status(path).permissions() & fs::perms::all, fs::perms::owner_all);
  }
  EXPECT_FALSE(fs::exists(path));
}

// A child that waits for a lock its parent holds, and says how that ended.
int exit_of_interrupted_wait(const fs::path& file) {
  const auto held = FileLock::acquire(file);
  const pid_t child = ::fork();
  if (child == 0) {
    catch_interrupts();
    const auto lock = FileLock::acquire(file);
    const bool told = !lock && lock.error().code == ErrorCode::interrupted &&
                      lock.error().what.find(file.string()) != std::string::npos;
    ::_exit(told ? 0 : 1);
  }
  // Again and again, for the child may not have come to its wait yet.
  for (int tries = 0; tries < 500; ++tries) {
    ::usleep(10'000);
    ::kill(child, SIGINT);
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return -2;
}

TEST(FileLock, a_wait_ends_with_a_signal_and_says_for_what_it_waited) {
  const auto dir = TemporaryDirectory::make();
  // A signal before the handlers are installed kills the child: that is no answer.
  int exit = -1;
  for (int tries = 0; exit == -1 && tries < 20; ++tries) {
    exit = exit_of_interrupted_wait(dir->path() / "x.lock");
  }
  EXPECT_EQ(exit, 0);
}

}  // namespace
}  // namespace domsmith
