// Whether a request that changes something was sent by a page of this site. Another site could
// otherwise have its visitors' browsers send it (cross-site request forgery).
#pragma once

#include <functional>
#include <string_view>

#include "http/headers.h"

namespace gatehouse::http {

/// By Sec-Fetch-Site where the browser says it (W3C Fetch Metadata), else by Origin, which every
/// browser sends with a POST: `is_own(Origin)` decides. Who sends neither is a script, which
/// carries no browser's trust, and passes. A field that is there twice does not.
bool sent_by_own_page(const Headers& headers, const std::function<bool(std::string_view)>& is_own);

}  // namespace gatehouse::http
