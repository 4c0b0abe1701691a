#include "gateway/recheck.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace gatehouse::gateway {
namespace {

constexpr std::size_t kSpareEntries = 256;

/// What a judge looks at.
http::Request question_of(const http::Request& request, const std::string& body) {
  http::Request out;
  out.method = request.method;
  out.target = request.target;
  out.version = request.version;
  out.authority = request.authority;
  out.headers = request.headers;
  out.body.bytes = body;
  out.upgrade = request.upgrade;
  out.peer = request.peer;
  out.trace.request_id = request.trace.request_id;
  out.auth_context = request.auth_context;
  return out;
}

std::unexpected<Error> session_ended() {
  return fail(ErrorCode::kCancelled, "the session has ended");
}

class WatchedBody final : public http::BodyReader {
 public:
  WatchedBody(OpenExchanges::Watch watch, std::unique_ptr<http::BodyReader> body)
      : watch_(std::move(watch)), body_(std::move(body)) {}
  Task<Result<std::string_view>> read() override { return watch_.ended() ? cut() : body_->read(); }
  bool ready() const override { return body_->ready(); }
  http::SocketBytes* in_socket() override { return watch_.ended() ? nullptr : body_->in_socket(); }
  const http::Headers& trailers() const override { return body_->trailers(); }

 private:
  static Task<Result<std::string_view>> cut() { co_return session_ended(); }
  OpenExchanges::Watch watch_;
  std::unique_ptr<http::BodyReader> body_;
};

class WatchedTunnel final : public http::ByteStream {
 public:
  WatchedTunnel(OpenExchanges::Watch watch, std::unique_ptr<http::ByteStream> tunnel)
      : tunnel_(std::move(tunnel)), watch_(std::move(watch)) {
    watch_.set_tunnel(*tunnel_);
    if (watch_.ended()) tunnel_->abort();
  }
  Task<Result<std::string_view>> read() override { return tunnel_->read(); }
  Task<Result<void>> write(std::string_view bytes) override { return tunnel_->write(bytes); }
  void finish() override { tunnel_->finish(); }
  void abort() override { tunnel_->abort(); }

 private:
  std::unique_ptr<http::ByteStream> tunnel_;
  OpenExchanges::Watch watch_;
};

}  // namespace

OpenExchanges::Watch OpenExchanges::open(const http::Request& request, const http::Allow& allow) {
  if (spare_.empty()) spare_.emplace_front();
  const bool first = open_.empty();
  open_.splice(open_.begin(), spare_, spare_.begin());
  Entry& entry = open_.front();
  entry.request = &request;
  if (authorizer_->body_wanted().bytes > 0) entry.body = request.body.bytes;
  entry.user = allow.user;
  entry.session = allow.session;
  if (first && on_first_) on_first_();
  return {*this, open_.begin()};
}

void OpenExchanges::close(Entries::iterator entry) {
  if (entry->round != nullptr) {
    std::ranges::replace(entry->round->members, &*entry, static_cast<Entry*>(nullptr));
  }
  if (spare_.size() >= kSpareEntries) {
    open_.erase(entry);
    return;
  }
  entry->request = nullptr;
  entry->body.clear();
  entry->tunnel = nullptr;
  entry->in_doubt_since.reset();
  entry->round = nullptr;
  entry->ended = false;
  spare_.splice(spare_.begin(), open_, entry);
}

void OpenExchanges::turn(MonotonicTime now) {
  rounds_.remove_if([](const Round& round) { return round.done; });
  end_those_in_doubt(now);
  for (Round* round : make_rounds(now)) {
    round->task.start(judge(*round), [round] {
      settle(*round, http::Failure{{ErrorCode::kInternal, "the authorizer threw an exception"}});
      round->done = true;
    });
  }
}

void OpenExchanges::end_those_in_doubt(MonotonicTime now) {
  for (Entry& entry : open_) {
    if (entry.ended || !entry.in_doubt_since || now - *entry.in_doubt_since < kDoubtLimit) continue;
    if (entry.round != nullptr) {
      std::ranges::replace(entry.round->members, &entry, static_cast<Entry*>(nullptr));
    }
    entry.round = &doomed_;
    doomed_.members.push_back(&entry);
  }
  end_all(doomed_.members);
}

std::vector<OpenExchanges::Round*> OpenExchanges::make_rounds(MonotonicTime now) {
  std::vector<Round*> fresh;
  std::unordered_map<std::string_view, Round*> of_session;
  for (Entry& entry : open_) {
    if (entry.ended || entry.round != nullptr) continue;
    Round* nobodys = nullptr;  // without a session each exchange is judged by itself
    Round*& round = entry.session.empty() ? nobodys : of_session[entry.session];
    if (round == nullptr || round->user != entry.user) {
      round = &rounds_.emplace_back();
      round->authorizer = authorizer_;
      round->question = question_of(*entry.request, entry.body);
      round->user = entry.user;
      round->session = entry.session;
      fresh.push_back(round);
    }
    round->members.push_back(&entry);
    entry.round = round;
    if (!entry.in_doubt_since) entry.in_doubt_since = now;
  }
  return fresh;
}

Task<void> OpenExchanges::judge(Round& round) {
  const http::Verdict verdict = co_await round.authorizer->judge(round.question);
  settle(round, verdict);
  round.done = true;
}

void OpenExchanges::settle(Round& round, const http::Verdict& verdict) {
  const auto* const allow = std::get_if<http::Allow>(&verdict);
  const bool failed = std::holds_alternative<http::Failure>(verdict);
  // Where a failing judge lets requests pass, it does not end those that had passed.
  const bool same =
      allow != nullptr &&
      (allow->unjudged || (allow->session == round.session && allow->user == round.user));
  if (!failed && !same) return end_all(round.members);
  for (Entry* const entry : round.members) {
    if (entry == nullptr) continue;
    entry->round = nullptr;
    if (same) entry->in_doubt_since.reset();
  }
  round.members.clear();
}

void OpenExchanges::end_all(std::vector<Entry*>& members) {
  // To end one may close others, which then are null here.
  for (Entry*& member : members) {
    if (member == nullptr) continue;
    Entry& entry = *std::exchange(member, nullptr);
    entry.round = nullptr;
    entry.ended = true;
    http::Cancellation* const cancellation = entry.request->cancellation;
    if (entry.tunnel != nullptr) entry.tunnel->abort();
    if (cancellation != nullptr) cancellation->cancel();
  }
  members.clear();
}

void keep_watch(http::Response& response, OpenExchanges::Watch watch) {
  if (!watch.watching()) return;
  if (response.upgrade) {
    response.upgrade =
        std::make_unique<WatchedTunnel>(std::move(watch), std::move(response.upgrade));
  } else if (response.body.stream) {
    response.body.stream =
        std::make_unique<WatchedBody>(std::move(watch), std::move(response.body.stream));
  }
}

}  // namespace gatehouse::gateway
