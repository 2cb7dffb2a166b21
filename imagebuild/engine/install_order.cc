#include "imagebuild/engine/install_order.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "imagebuild/engine/package_lists.h"

namespace domsmith::engine {
namespace {

constexpr std::size_t most_groups = 40;  // overlayfs takes its layers' names in one page

using Members = std::set<std::size_t>;

class Graph {
 public:
  Graph(const std::vector<PackageFacts>& facts, bool recommends) : needs_(facts.size()), first_(facts.size()) {
    for (std::size_t i = 0; i < facts.size(); ++i) {
      by_name_[facts[i].package.name].push_back(i);
      for (const std::string_view offered : names_in(Stanza(facts[i].control).field("Provides"))) {
        by_name_[std::string(offered)].push_back(i);
      }
    }
    for (std::size_t i = 0; i < facts.size(); ++i) {
      const Stanza control(facts[i].control);
      add(control.field("Pre-Depends"), first_[i]);
      needs_[i] = first_[i];
      add(control.field("Depends"), needs_[i]);
      if (recommends) {
        add(control.field("Recommends"), needs_[i]);
      }
    }
  }

  [[nodiscard]] Members named(std::string_view name) const {
    const auto found = by_name_.find(name.substr(0, name.find_first_of(":=/")));
    return found == by_name_.end() ? Members{} : Members(found->second.begin(), found->second.end());
  }
  // What `start` needs to work, itself included.
  [[nodiscard]] Members closure(const Members& start) const {
    Members all;
    std::vector<std::size_t> open(start.begin(), start.end());
    while (!open.empty()) {
      const std::size_t i = open.back();
      open.pop_back();
      if (all.insert(i).second) {
        open.insert(open.end(), needs_[i].begin(), needs_[i].end());
      }
    }
    return all;
  }
  // What has to be configured before `i` is unpacked.
  [[nodiscard]] const Members& before(std::size_t i) const { return first_[i]; }

 private:
  void add(std::string_view field, Members& into) const {
    for (const std::string_view name : names_in(field)) {
      if (const auto found = by_name_.find(name); found != by_name_.end()) {
        into.insert(found->second.begin(), found->second.end());
      }
    }
  }

  std::map<std::string, std::vector<std::size_t>, std::less<>> by_name_ = {};
  std::vector<Members> needs_, first_;
};

Members without(const Members& all, const Members& some) {
  Members rest;
  std::ranges::set_difference(all, some, std::inserter(rest, rest.end()));
  return rest;
}

// Splits where a package may be unpacked only when another one works already.
void split(const Graph& graph, const Members& members, std::vector<Batch>& batches) {
  if (members.empty()) {
    return;
  }
  Members first;
  for (const std::size_t i : members) {
    std::ranges::set_intersection(graph.before(i), members, std::inserter(first, first.end()));
  }
  Members early;
  std::ranges::set_intersection(graph.closure(first), members, std::inserter(early, early.end()));
  if (early.empty() || early.size() == members.size()) {  // nothing to wait for, or each waits for another
    batches.emplace_back(members.begin(), members.end());
    return;
  }
  split(graph, early, batches);
  split(graph, without(members, early), batches);
}

Members with_role(const std::vector<PackageFacts>& facts, Role role) {
  Members members;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (facts[i].package.role == role) {
      members.insert(i);
    }
  }
  return members;
}

}  // namespace

InstallOrder order_installation(const std::vector<PackageFacts>& facts, const std::vector<std::string>& wanted,
                                bool recommends, bool only_essential) {
  const Graph graph(facts, recommends);
  InstallOrder order;
  Members done = with_role(facts, Role::essential);
  Members all;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    all.insert(i);
  }
  const auto add_group = [&](std::string name, const Members& start) {
    InstallGroup group{.name = std::move(name), .batches = {}};
    const Members closure = without(graph.closure(start), done);
    split(graph, closure, group.batches);
    done.insert(closure.begin(), closure.end());
    if (!group.batches.empty()) {
      order.groups.push_back(std::move(group));
    }
  };
  if (only_essential) {
    order.base.assign(done.begin(), done.end());
    add_group("required packages", with_role(facts, Role::required));
  } else {
    Members base = graph.closure(with_role(facts, Role::required));
    base.insert(done.begin(), done.end());
    order.base.assign(base.begin(), base.end());
    done = std::move(base);
  }
  for (std::size_t i = 0; i < wanted.size() && i < most_groups; ++i) {
    add_group(wanted[i].substr(0, wanted[i].find_first_of("=/")), graph.named(wanted[i]));
  }
  add_group("other packages", all);
  return order;
}

}  // namespace domsmith::engine
