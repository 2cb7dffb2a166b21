// Running other people's programs in a tree: in namespaces of their own (mounts, processes; for an ordinary user also
// user ids), with a /dev, /proc and /sys that end with them. What is mounted for them is seen by nobody else, and what
// they leave running is killed.
//
// Their fsync(2) and its kin do nothing (seccomp(2)): a build that loses power is built again, and dpkg alone would
// otherwise spend most of its time waiting for the disk.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace domsmith::engine {

// For Child::call(): enters the namespaces, and runs `work` as the first process of a new pid namespace; its exit
// status. `user` wants a user namespace, which the parent must map (map_user_ids) when it is asked over `peer`.
int run_in_namespaces(bool user, int peer, const std::function<int()>& work);
// The parent's part, in `prepare`: waits for the child, and maps root to this user and the ids above to the range that
// /etc/subuid and /etc/subgid give (newuidmap(1)).
Result<void> map_user_ids(pid_t child, int peer, bool user);

struct InsideCommand {
  std::vector<std::string> argv;         // argv[0] as the tree has it
  std::vector<std::string> environment;  // beside the usual one, "NAME=value"
};

struct BindMount {
  std::string from;  // outside
  std::string to;    // an existing folder of the tree
};

// Runs the commands in `root`, one after the other, their output on our stderr. Error: the first that failed, by its
// argv and how it ended. To be called by the first process of a pid namespace only.
Result<void> run_inside(const std::string& root, const std::vector<InsideCommand>& commands,
                        const std::vector<std::string>& environment, const std::vector<BindMount>& mounts = {});
// Calls `work` there instead. It must not log.
Result<void> call_inside(const std::string& root, const std::function<Result<void>()>& work);

}  // namespace domsmith::engine
