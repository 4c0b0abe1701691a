// The page that the demo's dashboard shows.
#pragma once

#include <string>
#include <string_view>

namespace gatehouse::app {

struct DashboardView {
  std::string user;
  std::string groups;   // comma-separated
  std::string expires;  // as the gatekeeper's header has it; empty if unknown
};

std::string dashboard_page(const DashboardView& view);

struct StaticText {
  std::string_view path;
  std::string_view text;
};
extern const StaticText kDashboardStyle;

}  // namespace gatehouse::app
