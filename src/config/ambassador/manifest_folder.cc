#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "config/ambassador/manifests.h"
#include "config/text.h"

namespace gatehouse::config::ambassador {
namespace {

namespace fs = std::filesystem;

bool is_manifest(const fs::path& path) {
  constexpr std::array<std::string_view, 3> kExtensions{".yaml", ".yml", ".json"};
  return std::ranges::find(kExtensions, path.extension().string()) != kExtensions.end();
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

std::unexpected<Error> unreadable(const fs::path& path, const std::error_code& error) {
  const bool absent = error == std::errc::no_such_file_or_directory;
  return fail(absent ? ErrorCode::kNotFound : ErrorCode::kInvalid,
              printable(path.string()) + ": cannot be read: " + error.message());
}

/// The paths of all manifests, in no order.
Result<std::vector<fs::path>> find_manifests(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
      continue;
    }
    if (at.depth() >= static_cast<int>(kMaxFolderDepth)) at.disable_recursion_pending();
    // A link to a file counts as the file: a mounted ConfigMap is made of such.
    std::error_code unknown;
    if (is_manifest(at->path()) && fs::is_regular_file(at->path(), unknown)) {
      out.push_back(at->path());
    }
    if (out.size() > kMaxManifestFiles) {
      return fail(ErrorCode::kExhausted, printable(folder.string()) + ": more than " +
                                             std::to_string(kMaxManifestFiles) + " manifests");
    }
  }
  if (error) return unreadable(folder, error);
  return out;
}

Result<std::string> read_text(const fs::path& path, std::size_t limit) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open())
    return fail(ErrorCode::kInvalid, printable(path.string()) + ": cannot be read");
  std::string text;
  std::array<char, std::size_t{64} * 1024> buffer{};
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > limit) {
      return fail(ErrorCode::kExhausted,
                  printable(path.string()) + ": larger than " + std::to_string(limit) + " bytes");
    }
  }
  if (file.bad()) return fail(ErrorCode::kInvalid, printable(path.string()) + ": cannot be read");
  return text;
}

}  // namespace

Result<std::vector<ManifestFile>> read_folder(const std::string& path) {
  const fs::path folder(path);
  Result<std::vector<fs::path>> found = find_manifests(folder);
  if (!found) return fail(std::move(found));
  std::ranges::sort(*found);
  std::vector<ManifestFile> out;
  std::size_t left = kMaxFolderBytes;
  for (const fs::path& file : *found) {
    Result<std::string> text = read_text(file, kMaxManifestFileBytes);
    if (!text) return fail(std::move(text));
    if (text->size() > left) {
      return fail(ErrorCode::kExhausted, printable(path) + ": the manifests are larger than " +
                                             std::to_string(kMaxFolderBytes) + " bytes in all");
    }
    left -= text->size();
    out.push_back({.name = file.lexically_relative(folder).string(), .text = std::move(*text)});
  }
  return out;
}

}  // namespace gatehouse::config::ambassador
