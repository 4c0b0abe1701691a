#include <ares.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "http/headers.h"
#include "net/file_descriptor.h"
#include "net/socket_address.h"
#include "net/tcp.h"

namespace gatehouse::net {

namespace {

/// Names that are kept. A configuration names a few dozen upstreams; what lies above is somebody
/// who makes names up, and costs a query each.
constexpr std::size_t kCachedNames = 1024;
/// Queries under way at once, for the same reason.
constexpr std::size_t kQueries = 256;
/// A server that says "0" would have every request wait for it; one that says a week would have us
/// talk to a machine that has been gone for long.
constexpr std::chrono::seconds kShortestTtl{1};
constexpr std::chrono::seconds kLongestTtl = Resolver::kLongestTtl;
/// How long a name that is not there is not asked for again.
constexpr std::chrono::seconds kNotFoundTtl{1};
/// For the first server; c-ares doubles it for each further round.
constexpr int kQueryTimeoutMilliseconds = 2'000;
constexpr int kQueryRounds = 2;
/// The longest name that DNS can carry (RFC 1035 §2.3.4), as text.
constexpr std::size_t kLongestName = 253;

/// Sockets of c-ares told of at once, and how often in a turn: a flood of answers must not keep the
/// loop from its connections.
constexpr int kEventsPerRound = 16;
constexpr int kRoundsPerTurn = 16;

using Addresses = Result<std::vector<std::string>>;
using Lookup = Resolver::Lookup;

bool is_localhost(const std::string& host) {
  return host == "localhost" || host == "localhost." || host.ends_with(".localhost");
}

std::unexpected<Error> cannot_resolve(const std::string& host, int status) {
  const std::string what = "cannot resolve " + host + ": ";
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
      return fail(ErrorCode::kNotFound, what + "there is no such name");
    case ARES_ETIMEOUT:
      return fail(ErrorCode::kTimeout, what + "the name server does not answer");
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION:
      return fail(ErrorCode::kCancelled, what + "the resolver has gone");
    default:
      return fail(ErrorCode::kUnavailable, what + ares_strerror(status));
  }
}

struct Answer {
  Addresses addresses;
  std::chrono::seconds ttl = kNotFoundTtl;
};

Result<Lookup> to_lookup(const Addresses& addresses, std::chrono::seconds ttl) {
  if (!addresses) return std::unexpected(addresses.error());
  return Lookup{.addresses = *addresses, .ttl = ttl};
}

Answer read_answer(const std::string& host, int status, const ares_addrinfo* info) {
  if (status != ARES_SUCCESS) return {.addresses = cannot_resolve(host, status)};
  std::vector<std::string> addresses;
  std::chrono::seconds ttl = kLongestTtl;
  for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
    SocketAddress address;
    if (node->ai_addrlen > sizeof address.storage) continue;
    std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
    std::string text = to_endpoint(address).host;
    if (std::ranges::find(addresses, text) == addresses.end()) addresses.push_back(std::move(text));
    ttl = std::min(ttl, std::chrono::seconds(node->ai_ttl));
  }
  if (addresses.empty()) return {.addresses = cannot_resolve(host, ARES_ENODATA)};
  return {.addresses = std::move(addresses), .ttl = std::max(ttl, kShortestTtl)};
}

/// A query that several may wait for. They share it with the resolver, and may outlive that.
struct Query {
  std::string host;
  std::optional<Result<Lookup>> result;
  RunQueue waiting;
};

/// Suspends until the query has its result.
struct QueryWait {
  explicit QueryWait(Query& waited) : query(waited) {}
  bool await_ready() const noexcept { return query.result.has_value(); }
  void await_suspend(std::coroutine_handle<> waiting) {
    resumption.waiting = waiting;
    query.waiting.push_back(resumption);
  }
  void await_resume() const noexcept {}

  Query& query;
  Resumption resumption;
};

/// c-ares expects to be told of a socket for as long as there is something on it (level-triggered),
/// so its sockets have an epoll of their own, which the loop watches as one descriptor.
class AresResolver final : public Resolver, private EventListener, private Runnable {
 public:
  explicit AresResolver(Loop& loop)
      : loop_(loop), timer_(loop, [this] { process(ARES_SOCKET_BAD, 0); }) {}
  ~AresResolver() override;

  Result<void> start(const ResolverOptions& options);
  Task<Addresses> resolve(std::string host) override;
  Task<Result<Lookup>> look_up(std::string host, std::chrono::seconds max_age) override;

 private:
  struct Entry {
    Addresses addresses;
    MonotonicTime since, expires;
  };

  static void on_socket(void* self, ares_socket_t socket, int readable, int writable);
  static void on_answer(void* query, int status, int timeouts, ares_addrinfo* info);
  void on_events(std::uint32_t /*events*/) override { process_sockets(); }
  void run() override { process_sockets(); }
  void process_sockets();
  void process(ares_socket_t socket, std::uint32_t events);
  void arm_timer();
  Result<std::shared_ptr<Query>> query_for(const std::string& host);
  void finish(Query& query, Answer answer);
  std::optional<Result<Lookup>> cached(const std::string& host, std::chrono::seconds max_age) const;
  void remember(const std::string& host, Entry entry);

  Loop& loop_;
  FileDescriptor sockets_;
  ares_channel channel_ = nullptr;
  Loop::Timer timer_;
  std::map<std::string, std::shared_ptr<Query>> queries_;
  std::map<std::string, Entry> cache_;
};

Result<void> AresResolver::start(const ResolverOptions& options) {
  sockets_ = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!sockets_.valid()) return fail(ErrorCode::kExhausted, std::strerror(errno));
  char files_then_dns[] = "fb";
  ares_options settings{};
  settings.timeout = kQueryTimeoutMilliseconds;
  settings.tries = kQueryRounds;
  settings.lookups = files_then_dns;
  settings.sock_state_cb = on_socket;
  settings.sock_state_cb_data = this;
  const int status = ares_init_options(
      &channel_, &settings,
      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) return fail(ErrorCode::kUnavailable, ares_strerror(status));
  if (!options.name_servers.empty() &&
      ares_set_servers_ports_csv(channel_, options.name_servers.c_str()) != ARES_SUCCESS) {
    return fail(ErrorCode::kInvalid, "no name servers: " + options.name_servers);
  }
  return loop_.watch(sockets_.get(), *this);
}

AresResolver::~AresResolver() {
  // Ends each query under way with ARES_EDESTRUCTION.
  if (channel_ != nullptr) ares_destroy(channel_);
  if (sockets_.valid()) loop_.forget(sockets_.get());
}

Task<Addresses> AresResolver::resolve(std::string host) {
  Result<Lookup> found = co_await look_up(std::move(host), kLongestTtl);
  if (!found) co_return fail(std::move(found));
  co_return std::move(found->addresses);
}

Task<Result<Lookup>> AresResolver::look_up(std::string host, std::chrono::seconds max_age) {
  if (is_ip_address(host)) co_return Lookup{{std::move(host)}, kLongestTtl};
  host = http::lower_case(host);
  if (host.empty() || host.size() > kLongestName) {
    co_return fail(ErrorCode::kInvalid, "\"" + host.substr(0, kLongestName) + "\" is no host name");
  }
  if (is_localhost(host)) co_return Lookup{{"127.0.0.1", "::1"}, kLongestTtl};
  if (std::optional<Result<Lookup>> known = cached(host, max_age)) co_return *std::move(known);
  const Result<std::shared_ptr<Query>> query = query_for(host);
  if (!query) co_return std::unexpected(query.error());
  QueryWait wait(**query);
  co_await wait;
  co_return *(*query)->result;
}

std::optional<Result<Lookup>> AresResolver::cached(const std::string& host,
                                                   std::chrono::seconds max_age) const {
  const auto found = cache_.find(host);
  if (found == cache_.end()) return std::nullopt;
  const auto& [addresses, since, expires] = found->second;
  if (expires <= loop_.now() || loop_.now() - since >= max_age) return std::nullopt;
  return to_lookup(addresses, std::chrono::ceil<std::chrono::seconds>(expires - loop_.now()));
}

/// Joins the query for the same name that is under way, or starts one.
Result<std::shared_ptr<Query>> AresResolver::query_for(const std::string& host) {
  if (const auto found = queries_.find(host); found != queries_.end()) return found->second;
  if (queries_.size() >= kQueries) {
    return fail(ErrorCode::kExhausted, "cannot resolve " + host + ": too many queries under way");
  }
  auto query = std::make_shared<Query>();
  query->host = host;
  queries_.emplace(host, query);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  auto* const context = new std::pair<AresResolver*, Query*>(this, query.get());
  // What needs no network (the hosts file) is answered within the call.
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, on_answer, context);
  arm_timer();
  return query;
}

void AresResolver::on_answer(void* context, int status, int /*timeouts*/, ares_addrinfo* info) {
  const std::unique_ptr<std::pair<AresResolver*, Query*>> owned(
      static_cast<std::pair<AresResolver*, Query*>*>(context));
  auto& [self, query] = *owned;
  Answer answer = read_answer(query->host, status, info);
  if (info != nullptr) ares_freeaddrinfo(info);
  self->finish(*query, std::move(answer));
}

void AresResolver::finish(Query& query, Answer answer) {
  const auto found = queries_.find(query.host);
  const std::shared_ptr<Query> kept = found->second;
  queries_.erase(found);
  const bool lasting = answer.addresses || answer.addresses.error().code == ErrorCode::kNotFound;
  const MonotonicTime now = loop_.now();
  if (lasting) remember(query.host, {answer.addresses, now, now + answer.ttl});
  query.result = to_lookup(answer.addresses, answer.ttl);
  while (Runnable* const waiting = query.waiting.front()) loop_.schedule(*waiting);
}

void AresResolver::remember(const std::string& host, Entry entry) {
  if (cache_.size() >= kCachedNames) {
    std::erase_if(cache_,
                  [this](const auto& known) { return known.second.expires <= loop_.now(); });
  }
  // Still full: all are fresh, and any may go.
  if (cache_.size() >= kCachedNames) cache_.erase(cache_.begin());
  cache_.insert_or_assign(host, std::move(entry));
}

void AresResolver::on_socket(void* self, ares_socket_t socket, int readable, int writable) {
  const int sockets = static_cast<AresResolver*>(self)->sockets_.get();
  epoll_event event{.events = 0, .data = {.fd = socket}};
  if (readable != 0) event.events |= EPOLLIN;
  if (writable != 0) event.events |= EPOLLOUT;
  if (event.events == 0) {
    ::epoll_ctl(sockets, EPOLL_CTL_DEL, socket, nullptr);
  } else if (::epoll_ctl(sockets, EPOLL_CTL_MOD, socket, &event) != 0) {
    ::epoll_ctl(sockets, EPOLL_CTL_ADD, socket, &event);
  }
}

void AresResolver::process_sockets() {
  std::array<epoll_event, kEventsPerRound> events;
  for (int round = 0; round < kRoundsPerTurn; ++round) {
    const int count = ::epoll_wait(sockets_.get(), events.data(), kEventsPerRound, 0);
    if (count <= 0) return;
    for (int i = 0; i < count; ++i) process(events[i].data.fd, events[i].events);
  }
  loop_.schedule(*this);
}

/// Without a socket: only what has timed out.
void AresResolver::process(ares_socket_t socket, std::uint32_t events) {
  const bool readable = (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
  const bool writable = (events & EPOLLOUT) != 0;
  ares_process_fd(channel_, readable ? socket : ARES_SOCKET_BAD,
                  writable ? socket : ARES_SOCKET_BAD);
  arm_timer();
}

void AresResolver::arm_timer() {
  timeval next{};
  if (ares_timeout(channel_, nullptr, &next) == nullptr) {
    timer_.cancel();
    return;
  }
  timer_.set_after(std::chrono::milliseconds(next.tv_sec * 1000 + next.tv_usec / 1000 + 1));
}

/// Stands in where c-ares could not start: IP addresses still resolve.
class BrokenResolver final : public Resolver {
 public:
  explicit BrokenResolver(Error error) : error_(std::move(error)) {}
  Task<Addresses> resolve(std::string host) override {
    if (is_ip_address(host)) co_return std::vector<std::string>{std::move(host)};
    co_return std::unexpected(error_);
  }

 private:
  const Error error_;
};

}  // namespace

Task<Result<Resolver::Lookup>> Resolver::look_up(std::string host,
                                                 std::chrono::seconds /*max_age*/) {
  Result<std::vector<std::string>> addresses = co_await resolve(std::move(host));
  co_return to_lookup(addresses, kLongestTtl);
}

std::unique_ptr<Resolver> Resolver::make(Loop& loop, const ResolverOptions& options) {
  auto resolver = std::make_unique<AresResolver>(loop);
  Result<void> started = resolver->start(options);
  if (started) return resolver;
  return std::make_unique<BrokenResolver>(
      std::move(started).error().in("names cannot be resolved"));
}

}  // namespace gatehouse::net
