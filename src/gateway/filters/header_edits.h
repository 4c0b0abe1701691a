// Headers that the configuration adds to messages, sets in them or removes from them.
//
// Not for who the user is: that is IdentityHeaders', and the headers which that manages can be
// neither set nor removed here. Removal comes first, but values are made from the message as it
// was, so that a header can be renamed. On requests names are compared as a careless upstream reads
// them (field_names.h): a client's X_Role does not survive where X-Role is set or removed.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/filters/format.h"
#include "http/headers.h"

namespace gatehouse::gateway {

class HeaderEdits {
 public:
  enum class Of { kRequest, kResponse };
  struct Settings {
    const std::vector<config::FieldEdit>& add;
    const std::vector<std::string>& remove;
    const std::vector<std::string>& managed_headers;
    std::vector<std::string> private_fields;  // as of Format::Options
    std::string hostname;
  };
  /// kInvalid names the header and why it cannot be edited: it is no name, frames or routes the
  /// message (Host, Content-Length, …), is managed, or its value is no template.
  static Result<HeaderEdits> make(Of of, const Settings& settings);

  /// Does nothing.
  HeaderEdits() = default;

  bool empty() const { return additions_.empty() && removals_.empty(); }
  /// `headers` may be those of the context's own message. A value that comes out empty is not
  /// added; what it should have replaced goes nevertheless.
  void apply(http::Headers& headers, const FormatContext& context) const;

 private:
  struct Addition {
    std::string name, folded_name;
    Format value;
    bool append;
  };

  struct Removal {
    std::string name, folded_name;
  };

  void remove(http::Headers& headers, const std::string& name,
              const std::string& folded_name) const;

  Of of_ = Of::kRequest;
  std::vector<Addition> additions_;
  std::vector<Removal> removals_;
};

}  // namespace gatehouse::gateway
