// Any text as a manifest, and as the annotation of a Service: reading neither crashes nor hangs, no
// finding breaks a line, and no route sets a managed header or forges a message's framing.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "config/ambassador/manifests.h"
#include "http/headers.h"

namespace {

namespace ambassador = gatehouse::config::ambassador;
using gatehouse::config::FieldEdit;
using gatehouse::config::Problem;
using gatehouse::config::Route;

void check_findings(const std::vector<Problem>& findings) {
  for (const Problem& finding : findings) {
    if (finding.str().find_first_of("\n\r\x1b") != std::string::npos) std::abort();
    if (finding.message.empty()) std::abort();
  }
}

void check_edits(const std::vector<FieldEdit>& edits) {
  for (const FieldEdit& edit : edits) {
    if (!gatehouse::http::is_token(edit.name)) std::abort();
    if (edit.value.find_first_of("\r\n") != std::string::npos) std::abort();
    if (gatehouse::http::equal_ignoring_case(edit.name, "kubeflow-userid")) std::abort();
    if (gatehouse::http::equal_ignoring_case(edit.name, "transfer-encoding")) std::abort();
  }
}

void check(const ambassador::Manifests& manifests) {
  check_findings(manifests.problems);
  check_findings(manifests.warnings);
  for (const Route& route : manifests.gateway.routes) {
    if (route.upstream.service.empty() == route.redirect.host.empty()) std::abort();
    if (route.match != "regex" && !route.prefix.starts_with('/')) std::abort();
    check_edits(route.add_request_headers);
  }
}

std::string as_annotation(std::string_view text) {
  std::string out =
      "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n  annotations:\n"
      "    getambassador.io/config: |\n      ";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "      ";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(ambassador::read_manifests({{.name = "fuzz.yaml", .text = text}}, {}));
  check(ambassador::read_manifests({{.name = "fuzz.yaml", .text = as_annotation(text)}}, {}));
  return 0;
}
