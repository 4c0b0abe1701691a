#include "gateway/filters/shadow.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "gateway/field_names.h"
#include "gateway/filters/format.h"
#include "http/address_set.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kInternalPrefix = "x-gatehouse-";
constexpr std::string_view kClientCertificate = "x-forwarded-client-cert";
constexpr std::string_view kSuffix = "-shadow";

/// An address stays what it is: with a suffix it would be none.
std::string shadow_authority(const std::string& authority) {
  if (authority.starts_with('[')) return authority;
  const std::size_t colon = std::min(authority.find(':'), authority.size());
  const std::string host = authority.substr(0, colon);
  if (host.empty() || http::parse_address(host)) return authority;
  return host + std::string(kSuffix) + authority.substr(colon);
}

/// The next number of a sequence (splitmix64).
std::uint64_t next_number(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31);
}

Task<void> drain(http::BodyReader& body, std::size_t limit) {
  std::size_t seen = 0;
  while (seen <= limit) {
    const Result<std::string_view> piece = co_await body.read();
    if (!piece || piece->empty()) co_return;
    seen += piece->size();
  }
}

}  // namespace

Result<Shadow> Shadow::make(int weight, const std::vector<std::string>& withheld) {
  if (weight < -1 || weight > 100) {
    return fail(ErrorCode::kInvalid,
                "shadow: weight is a percentage of 0 to 100, or -1 for all requests");
  }
  Shadow out;
  out.percent_ = weight == -1 ? 100 : weight;
  for (const std::string& name : withheld) out.withheld_.push_back(folded(name));
  return out;
}

std::optional<http::Request> Shadow::copy(const http::Request& request) const {
  if (!request.upgrade.empty() || request.method == "CONNECT") return std::nullopt;
  if (request.body.stream != nullptr || request.body.bytes.size() > kBodyLimit) return std::nullopt;
  http::Request out;
  out.method = request.method;
  out.target = request.target;
  out.version = request.version;
  out.authority = shadow_authority(request.authority);
  out.headers = request.headers;
  out.headers.remove_if([this](http::Field field) {
    return is_secret_field(field.name) || folds_to_one_of(field.name, withheld_) ||
           fold_begins_with(field.name, kInternalPrefix) ||
           folds_to(field.name, kClientCertificate);
  });
  out.body = http::Body(request.body.bytes);
  out.trace.request_id = request.trace.request_id;
  return out;
}

ShadowRuns::ShadowRuns(net::Loop& loop, Entropy& entropy) : loop_(loop), chance_(0) {
  std::array<std::uint8_t, sizeof chance_> bytes{};
  entropy.fill(bytes);
  std::memcpy(&chance_, bytes.data(), bytes.size());
}

bool ShadowRuns::is_sampled(int percent) {
  return next_number(chance_) % 100 < static_cast<std::uint64_t>(std::max(percent, 0));
}

std::size_t ShadowRuns::running() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(runs_, [](const Run& run) { return !run.done; }));
}

bool ShadowRuns::start(http::Request copy, Send send) {
  runs_.remove_if([](const Run& run) { return run.done; });
  if (runs_.size() >= kAtOnce) {
    ++left_out_;
    return false;
  }
  Run& started = runs_.emplace_back(loop_, std::move(copy), std::move(send));
  started.deadline.set_after(kDeadline);
  started.task.start(run(started), [&started] { started.done = true; });
  return true;
}

Task<void> ShadowRuns::run(Run& run) {
  co_await net::NextTurn(loop_);
  Result<http::Response> response = co_await run.send(run.request);
  if (response && response->body.stream != nullptr) {
    co_await drain(*response->body.stream, kAnswerLimit);
  }
  run.deadline.cancel();
  run.done = true;
}

}  // namespace gatehouse::gateway
