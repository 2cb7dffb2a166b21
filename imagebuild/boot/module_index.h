// What a kernel says of its modules: modules.dep, modules.builtin, modules.softdep and modules.alias of depmod(8).
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace domsmith::boot {

struct ModuleFiles {  // the texts; modules.dep(5), modprobe.d(5) for the other two's lines
  std::string dep, builtin, softdep, alias;
};

class ModuleIndex {
 public:
  ModuleIndex(const ModuleFiles& files, std::string version);

  // The files (below /lib/modules/VERSION) that have to be loaded for `names`, in order: what a module depends on, and
  // its "softdep pre", come before it. '-' and '_' are the same; an alias stands for all modules that bear it; built-in
  // ones need no file. not_found for a name that the kernel has not.
  [[nodiscard]] Result<std::vector<std::string>> load_order(const std::vector<std::string>& names) const;

 private:
  struct Module {
    std::string path;
    std::vector<std::string> needs;          // names
    std::vector<std::string> before, after;  // softdep pre and post: names or aliases
  };
  struct Order;
  [[nodiscard]] std::vector<std::string> resolve(const std::string& name) const;
  void visit(const std::string& name, Order& order) const;
  void read_dependencies(std::string_view text);
  void read_soft_dependencies(std::string_view text);

  std::string version_;
  std::map<std::string, Module> modules_;  // by name, '_' for '-'
  std::set<std::string> builtin_;
  std::multimap<std::string, std::string> aliases_;
};

// "kernel/fs/ext4/ext4.ko.xz" -> "ext4"; '_' for '-'
std::string module_name_of(std::string_view path);

}  // namespace domsmith::boot
