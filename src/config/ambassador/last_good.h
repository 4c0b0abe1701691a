// What each object of the manifests said when it was last right, so that one that becomes wrong, or
// cannot be found in a file that is torn, goes on as it was.
//
// A reading takes that of the state in force, and gives back its own: the versions that it found
// good, and those that it kept. An object that is gone is in neither.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "config/ambassador/hosts.h"
#include "config/ambassador/listeners.h"
#include "config/ambassador/manifests.h"
#include "config/ambassador/objects.h"
#include "config/ambassador/report.h"
#include "config/ambassador/tls_contexts.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

/// Of the objects of one kind, by their names (Subject::name).
template <class T>
class LastGoodOf {
 public:
  struct Version {
    Object head;  // without its fields
    T value;
    /// Several objects of one annotation have the name: which of them is meant is not known.
    bool repeated = false;
  };

  void keep(const Object& object, T value) {
    const auto [found, fresh] =
        versions_.try_emplace(object.subject.name, head_of(object), std::move(value));
    found->second.repeated = !fresh;
  }
  const T* find(const std::string& name) const {
    const auto found = versions_.find(name);
    return found == versions_.end() || found->second.repeated ? nullptr : &found->second.value;
  }
  void put(const std::string& name, const T& value) {
    const auto found = versions_.find(name);
    if (found != versions_.end()) found->second.value = value;
  }
  void forget(const std::string& name) { versions_.erase(name); }
  const std::unordered_map<std::string, Version>& all() const { return versions_; }

 private:
  std::unordered_map<std::string, Version> versions_;
};

struct LastGood {
  LastGoodOf<Route> mappings;
  LastGoodOf<TcpRoute> tcp_mappings;
  LastGoodOf<ReadHost> hosts;
  LastGoodOf<Listener> listeners;
  LastGoodOf<TlsContext> tls_contexts;
  LastGoodOf<AuthorizerSettings> auth_services;
  LastGoodOf<Tracing> tracing_services;
  LastGoodOf<Object> modules;
};

/// What objects fall back on that are wrong, and what is found good.
struct Versions {
  const LastGood* before = nullptr;  // null: nothing
  LastGood& good;
};

/// What `read()` gives; nullopt is of an object that is wrong, if it has reported a problem.
/// Then, and for one that is lost, it is the last good version, and the problem says so.
template <class T, class Read>
std::optional<T> read_or_keep(const Object& object, LastGoodOf<T> LastGood::* kind,
                              const Versions& versions, Report& report, Read read) {
  const T* const last =
      versions.before == nullptr ? nullptr : (versions.before->*kind).find(object.subject.name);
  if (!object.lost) {
    const std::size_t known = report.problem_count();
    std::optional<T> fresh = read();
    if (fresh) (versions.good.*kind).keep(object, *fresh);
    if (fresh || report.problem_count() == known || last == nullptr) return fresh;
    report.say_that_it_stays(known);
  }
  if (last == nullptr) return std::nullopt;
  (versions.good.*kind).keep(object, *last);
  return *last;
}

/// Puts the objects among the others that stood in damaged files and cannot be found: as lost ones,
/// which read_or_keep() gives their last good version.
void add_lost(const std::vector<ManifestFile>& files, const LastGood& before, Objects& objects,
              Report& report);

}  // namespace gatehouse::config::ambassador
