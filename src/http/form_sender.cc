#include "http/form_sender.h"

namespace gatehouse::http {

bool sent_by_own_page(const Headers& headers, const std::function<bool(std::string_view)>& is_own) {
  constexpr std::string_view kSite = "sec-fetch-site";
  constexpr std::string_view kOrigin = "origin";
  if (headers.count(kSite) > 1 || headers.count(kOrigin) > 1) return false;
  if (const auto site = headers.get(kSite)) return *site == "same-origin" || *site == "none";
  const auto origin = headers.get(kOrigin);
  return !origin || is_own(*origin);
}

}  // namespace gatehouse::http
