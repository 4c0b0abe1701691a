#include "identity/health_endpoint.h"

namespace gatehouse::identity {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

}  // namespace

Task<http::Response> HealthEndpoint::handle(http::Request&) {
  if (!keys_.snapshot()) co_return http::make_response(503, kText, "There are no keys yet.\n");
  auto look = [](store::Transaction& transaction) {
    return transaction.value("identity/static-users");
  };
  const Result<std::optional<std::string>> seen = co_await store_.transact(look);
  if (!seen) co_return http::make_response(503, kText, "The store does not answer.\n");
  co_return http::make_response(200, kText, "Health check passed\n");
}

}  // namespace gatehouse::identity
