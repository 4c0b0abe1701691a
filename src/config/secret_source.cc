#include "config/secret_source.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace gatehouse::config {
namespace {

void remove_line_end(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

}  // namespace

Result<Secret, std::string> secret_from_file(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return std::unexpected("names a file that is not there");
  if (!std::filesystem::is_regular_file(status)) return std::unexpected("names no regular file");
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxSecretBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return std::unexpected("names a file that cannot be read; check its owner and mode");
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxSecretBytes) {
    wipe(text);
    return std::unexpected("names a file larger than " + std::to_string(kMaxSecretBytes) +
                           " bytes");
  }
  remove_line_end(text);
  if (text.empty()) return std::unexpected("names an empty file");
  return Secret(std::move(text));
}

Result<Secret, std::string> secret_from_variable(const std::string& name,
                                                 const Environment& environment) {
  const auto found = environment.find(name);
  if (found == environment.end()) return std::unexpected("names a variable that is not set");
  if (found->second.empty()) return std::unexpected("names a variable that is empty");
  return Secret(found->second);
}

}  // namespace gatehouse::config
