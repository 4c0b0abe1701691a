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

inline constexpr std::string_view kDashboardStylePath = "/dashboard.css";
/// The look that all pages share, and the dashboard's own.
std::string dashboard_style();

}  // namespace gatehouse::app
