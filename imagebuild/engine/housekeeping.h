// What a build puts into a tree for its own sake, and takes out again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "imagebuild/engine/path_filter.h"

namespace domsmith::engine {

// Of maintainer scripts and of the recipe's steps: nobody is asked anything, and nothing depends on the host.
std::vector<std::string> environment_of(std::int64_t epoch);

// A file in place of whatever was there, owned by root; `path` without a leading '/'.
Result<void> put_file(const std::string& root, const std::string& path, std::string_view bytes, std::uint32_t mode);

// The folders and files that apt and dpkg expect before there is a package.
Result<void> make_skeleton(const std::string& root, const std::string& sources_list);

// dpkg.cfg(5) of the tree.
Result<PathFilter> read_filter(const std::string& root);

// Services are not started while an image is built: policy-rc.d says no (invoke-rc.d(8)), and start-stop-daemon is
// another one meanwhile.
Result<void> keep_services_off(const std::string& root);
Result<void> let_services_on(const std::string& root);

// The host's /etc/resolv.conf, where the tree has none, so that scripts find the network. A file that is no longer what
// was lent stays.
Result<void> lend_host_files(const std::string& root);
Result<void> take_back_host_files(const std::string& root);

// What is left of a build in every tree: logs, caches with times in them, /run, /tmp, the machine's id.
Result<void> clean_tree(const std::string& root);

}  // namespace domsmith::engine
