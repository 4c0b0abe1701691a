#include "gateway/forwarded_client_certificate.h"

#include <algorithm>
#include <string_view>

#include "http/percent.h"

namespace gatehouse::gateway {

namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

void add_hex(std::string& out, char byte) {
  const auto value = static_cast<unsigned char>(byte);
  out += kHex[value >> 4U];
  out += kHex[value & 15U];
}

template <class Kept>
std::string percent_encoded(std::string_view text, Kept kept) {
  std::string out;
  for (const char c : text) {
    if (kept(c)) {
      out += c;
    } else {
      out += '%';
      add_hex(out, c);
    }
  }
  return out;
}

/// Of a URI or a DNS name: what can stand in one, without the header's own signs.
bool is_harmless(char c) {
  return http::is_unreserved(c) || std::string_view(":/?#[]@!$&'()*+%").contains(c);
}

/// RFC 2253 lets each byte be a backslash and two hex digits; so a " never stands in it, and a
/// backslash never before the closing quote.
std::string quoted_subject(std::string_view subject) {
  std::string out = "\"";
  for (std::size_t i = 0; i < subject.size(); ++i) {
    const bool escape = subject[i] == '\\' && i + 1 < subject.size();
    const char c = escape ? subject[++i] : subject[i];
    const bool control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    if (c == '"' || c == '\\' || control) {
      out += '\\';
      add_hex(out, c);
    } else {
      if (escape) out += '\\';
      out += c;
    }
  }
  return out += '"';
}

class Element {
 public:
  void add(std::string_view key, std::string_view value) {
    if (!text_.empty()) text_ += ';';
    text_.append(key).append("=").append(value);
  }
  void add_pem(std::string_view key, std::string_view pem) {
    if (!pem.empty()) add(key, "\"" + percent_encoded(pem, http::is_unreserved) + "\"");
  }
  void add_names(std::string_view key, const std::vector<std::string>& names) {
    for (const std::string& name : names) add(key, percent_encoded(name, is_harmless));
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string forwarded_client_certificate(const http::ClientCertificate& certificate,
                                         const std::vector<std::string>& details) {
  Element element;
  for (const std::string& detail : details) {
    if (detail == "hash") element.add("Hash", certificate.sha256);
    if (detail == "subject") element.add("Subject", quoted_subject(certificate.subject));
    if (detail == "uri") element.add_names("URI", certificate.uris);
    if (detail == "dns") element.add_names("DNS", certificate.dns_names);
    if (detail == "cert") element.add_pem("Cert", certificate.pem);
    if (detail == "chain") element.add_pem("Chain", certificate.chain_pem);
  }
  return element.take();
}

}  // namespace gatehouse::gateway
