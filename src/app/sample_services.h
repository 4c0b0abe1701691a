// The demo's sample Kubeflow services: what stands behind the front door when there is no Kubeflow.
//
// `/` a dashboard that shows who you are, until when, with links to the others; `/pipeline/…` JSON
// of the request that reached it; `/events` a server-sent event a second; `/ws` a WebSocket echo.
// They believe the headers that the gateway sets, as Kubeflow's services do, so they listen on
// loopback only.
#pragma once

#include <memory>

#include "http/message.h"
#include "net/loop.h"

namespace gatehouse::app {

/// One a loop.
std::unique_ptr<http::Handler> make_sample_services(net::Loop& loop);

}  // namespace gatehouse::app
