#include "imagebuild/boot/module_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace domsmith::boot {
namespace {

std::string normal(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, '-', '_');
  return out;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t start = text.find_first_not_of(" \t"); start != std::string_view::npos;
       start = text.find_first_not_of(" \t", start)) {
    const std::size_t end = std::min(text.find_first_of(" \t", start), text.size());
    out.emplace_back(text.substr(start, end - start));
    start = end;
  }
  return out;
}

}  // namespace

std::string module_name_of(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return normal(name.substr(0, name.find(".ko")));
}

struct ModuleIndex::Order {
  std::set<std::string> seen;
  std::vector<std::string> paths;
};

ModuleIndex::ModuleIndex(const ModuleFiles& files, std::string version) : version_(std::move(version)) {
  read_dependencies(files.dep);
  for (const std::string& path : split_lines(files.builtin)) {
    builtin_.insert(module_name_of(path));
  }
  read_soft_dependencies(files.softdep);
  for (const std::string& line : split_lines(files.alias)) {
    // Patterns match hardware ids, which nobody writes into a recipe.
    if (line.find('*') == std::string::npos) {
      if (const auto parts = words(line); parts.size() == 3 && parts[0] == "alias") {
        aliases_.emplace(normal(parts[1]), normal(parts[2]));
      }
    }
  }
}

// "kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko kernel/fs/mbcache.ko"
void ModuleIndex::read_dependencies(std::string_view text) {
  for (const std::string& line : split_lines(text)) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) {
      continue;
    }
    Module module{.path = line.substr(0, colon), .needs = {}, .before = {}, .after = {}};
    for (const std::string& path : words(std::string_view(line).substr(colon + 1))) {
      module.needs.push_back(module_name_of(path));
    }
    const std::string name = module_name_of(module.path);
    modules_.insert_or_assign(name, std::move(module));
  }
}

// "softdep ext4 pre: crypto-crc32c post: other"
void ModuleIndex::read_soft_dependencies(std::string_view text) {
  for (const std::string& line : split_lines(text)) {
    const auto parts = words(line);
    if (parts.size() < 3 || parts[0] != "softdep") {
      continue;
    }
    const auto module = modules_.find(normal(parts[1]));
    if (module == modules_.end()) {
      continue;
    }
    std::vector<std::string>* into = nullptr;
    for (auto part = parts.begin() + 2; part != parts.end(); ++part) {
      if (*part == "pre:") {
        into = &module->second.before;
      } else if (*part == "post:") {
        into = &module->second.after;
      } else if (into != nullptr) {
        into->push_back(normal(*part));
      }
    }
  }
}

// A module of that name, or those that bear the alias; both may be none of the files.
std::vector<std::string> ModuleIndex::resolve(const std::string& name) const {
  if (modules_.contains(name)) {
    return {name};
  }
  std::vector<std::string> out;
  for (auto [alias, end] = aliases_.equal_range(name); alias != end; ++alias) {
    if (modules_.contains(alias->second)) {
      out.push_back(alias->second);
    }
  }
  return out;
}

void ModuleIndex::visit(const std::string& name, Order& order) const {
  const auto module = modules_.find(name);
  if (module == modules_.end() || !order.seen.insert(name).second) {
    return;
  }
  const auto visit_soft = [&](const std::vector<std::string>& names) {
    for (const std::string& wanted : names) {
      std::ranges::for_each(resolve(wanted), [&](const std::string& found) { visit(found, order); });
    }
  };
  visit_soft(module->second.before);
  // depmod writes them so that the last has to be loaded first.
  for (auto need = module->second.needs.rbegin(); need != module->second.needs.rend(); ++need) {
    visit(*need, order);
  }
  order.paths.push_back(module->second.path);
  visit_soft(module->second.after);
}

Result<std::vector<std::string>> ModuleIndex::load_order(const std::vector<std::string>& names) const {
  Order order;
  for (const std::string& wanted : names) {
    const std::string name = normal(wanted);
    const auto found = resolve(name);
    if (found.empty() && !builtin_.contains(name)) {
      std::vector<std::string> known;
      std::ranges::transform(modules_, std::back_inserter(known), [](const auto& item) { return item.first; });
      const std::string near = nearest(name, known);
      return fail(ErrorCode::not_found, fmt::format("the kernel {} has no module '{}'", version_, wanted),
                  near.empty() ? "use a kernel with support for Xen guests, such as linux-image-amd64"
                               : fmt::format("did you mean '{}'?", near));
    }
    std::ranges::for_each(found, [&](const std::string& module) { visit(module, order); });
  }
  return order.paths;
}

}  // namespace domsmith::boot
