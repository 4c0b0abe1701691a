// The certificates and keys in Kubernetes Secrets, by name.
//
// A message names the Secret and the member, never what it holds. Borrows the Objects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "config/ambassador/objects.h"

namespace gatehouse::config::ambassador {

/// A certificate chain with its key is rarely larger; a CA bundle has 200 KiB.
inline constexpr std::size_t kMaxSecretMemberBytes = std::size_t{1024} * 1024;

class Secrets {
 public:
  explicit Secrets(const Objects& objects) : objects_(objects) {}

  /// A Secret as manifests name it: "name", or "name.namespace" where `dotted` says that a dot
  /// parts the two.
  struct Name {
    std::string name;
    std::string name_space;
    bool dotted = true;
  };

  /// PEM text of the first of `members` that the Secret has. The error is a whole sentence.
  Result<Secret, std::string> pem(const Name& name,
                                  const std::vector<std::string_view>& members) const;

 private:
  const Object* find(const Name& name) const;

  const Objects& objects_;
};

}  // namespace gatehouse::config::ambassador
