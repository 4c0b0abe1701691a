// TLSContexts: what a Host ends TLS with, and what a Mapping reaches its service with.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/ambassador/fields.h"
#include "config/ambassador/manifests.h"
#include "config/ambassador/objects.h"
#include "config/ambassador/secrets.h"
#include "config/gateway_settings.h"

namespace gatehouse::config::ambassador {

struct TlsContext {
  const Object* object = nullptr;
  Tls tls;               // as the server
  UpstreamTls upstream;  // as the client
  std::vector<std::string> hosts;
  std::size_t redirect_cleartext_from = 0;  // a port; 0: none
  /// It has problems. What it says is not to be used; who relies on it must not do without.
  bool broken = false;
};

/// The fields that a TLSContext and Host.tls share. `own_secret`: the field that names the
/// certificate's Secret; "" if there is none. `dotted`: the default of secret_namespacing.
TlsContext read_tls_fields(FieldReader& fields, const Secrets& secrets, const Object& object,
                           std::string_view own_secret, bool dotted);

/// A certificate and key out of a kubernetes.io/tls Secret. The error is a whole sentence.
Result<void, std::string> read_certificate(const Secrets& secrets, const Secrets::Name& name,
                                           TlsContext& context);

/// A problem at that field, if what the context holds cannot be used, by the options' checks.
void check_certificates(FieldReader& fields, const ManifestOptions& options, std::string_view field,
                        const TlsContext& context);

struct Versions;  // last_good.h

class TlsContexts {
 public:
  /// Reads all TLSContexts, and the Module "tls" of v0.
  TlsContexts(const Objects& objects, const Secrets& secrets, const ManifestOptions& options,
              bool dotted, const Versions& versions, Report& report);

  /// By its name, in that namespace or else in any, as Ambassador has it. May be broken.
  const TlsContext* find(std::string_view name, std::string_view name_space) const;
  /// Who ends TLS for that host name, exact names before patterns. May be broken.
  const TlsContext* for_host(std::string_view hostname) const;

  const std::vector<TlsContext>& list() const { return list_; }

 private:
  std::vector<TlsContext> list_;
};

bool has_certificate(const Tls& tls);

/// True if `pattern` ("*", "*.example.org", "example.org") holds for `hostname`.
bool host_matches(std::string_view pattern, std::string_view hostname);

}  // namespace gatehouse::config::ambassador
