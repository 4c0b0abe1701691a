#include "config/ambassador/last_good.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

constexpr std::size_t kNamedOfAFile = 5;

/// What stands in an origin behind the object's name.
constexpr std::string_view kIn = " in ";

std::string object_of(const std::string& origin) {
  return origin.substr(0, origin.find(kIn));
}

template <class T>
const T* keep(const T& wrong, LastGoodOf<T> LastGood::* kind, const LastGood* before,
              LastGood& good) {
  const std::string name = object_of(wrong.origin);
  const T* const last = before == nullptr ? nullptr : (before->*kind).find(name);
  if (last == nullptr) {
    (good.*kind).forget(name);
  } else {
    (good.*kind).put(name, *last);
  }
  return last;
}

template <class T>
void collect_lost(const LastGoodOf<T>& kind, const std::set<std::string>& damaged,
                  std::map<std::string, Object>& lost) {
  for (const auto& [name, version] : kind.all()) {
    if (version.repeated || !damaged.contains(version.head.subject.file)) continue;
    lost.try_emplace(name, version.head).first->second.lost = true;
  }
}

void tell(const std::map<std::string, std::vector<std::string>>& by_file, Report& report) {
  for (const auto& [file, names] : by_file) {
    std::string text = "the last good version stays in force of ";
    for (std::size_t i = 0; i < std::min(names.size(), kNamedOfAFile); ++i) {
      text += (i > 0 ? ", " : "") + names[i];
    }
    if (names.size() > kNamedOfAFile) {
      text += " and " + std::to_string(names.size() - kNamedOfAFile) + " more";
    }
    report.problem({.file = file}, {}, "", std::move(text));
  }
}

}  // namespace

void add_lost(const std::vector<ManifestFile>& files, const LastGood& before, Objects& objects,
              Report& report) {
  if (objects.damaged.empty()) return;
  std::map<std::string, Object> lost;
  collect_lost(before.mappings, objects.damaged, lost);
  collect_lost(before.tcp_mappings, objects.damaged, lost);
  collect_lost(before.hosts, objects.damaged, lost);
  collect_lost(before.listeners, objects.damaged, lost);
  collect_lost(before.tls_contexts, objects.damaged, lost);
  collect_lost(before.auth_services, objects.damaged, lost);
  collect_lost(before.tracing_services, objects.damaged, lost);
  collect_lost(before.modules, objects.damaged, lost);
  for (const Object& object : objects.list) lost.erase(object.subject.name);
  if (lost.empty()) return;
  std::map<std::string, std::size_t> order;
  for (const ManifestFile& file : files) order.emplace(printable(file.name), order.size());
  const auto place = [&](const Object& object) {
    return std::pair(order[object.subject.file], object.subject.place(object.mark).line);
  };
  std::map<std::string, std::vector<std::string>> by_file;
  std::vector<Object> back;
  for (auto& [name, object] : lost) {
    by_file[object.subject.file].push_back(name);
    back.push_back(std::move(object));
  }
  tell(by_file, report);
  // Where they stood: of several objects where one is meant, the first counts.
  std::ranges::sort(back, {}, place);
  std::vector<Object> merged;
  std::ranges::merge(objects.list, back, std::back_inserter(merged), {}, place, place);
  objects.list = std::move(merged);
}

const Route* keep_last_good(const Route& wrong, const LastGood* before, LastGood& good) {
  return keep(wrong, &LastGood::mappings, before, good);
}

const TcpRoute* keep_last_good(const TcpRoute& wrong, const LastGood* before, LastGood& good) {
  const TcpRoute* const last = keep(wrong, &LastGood::tcp_mappings, before, good);
  if (last == nullptr) return nullptr;
  TcpRoute same = *last;
  same.origin = wrong.origin;
  return same == wrong ? nullptr : last;
}

}  // namespace gatehouse::config::ambassador
