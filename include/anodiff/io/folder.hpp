// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dirent.h>

#include <algorithm>
#include <anodiff/formats/file.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace anodiff::io {

/// The path of what stands in a folder by that name.
[[nodiscard]] inline std::string path_in(std::string_view folder, std::string_view name) {
  return concat(folder, folder.ends_with('/') ? "" : "/", name);
}

namespace detail {

/// Paths of a folder's files, or of the folders in it; hidden ones, which begin with a point, are left out.
inline std::vector<std::string> list_folder(const std::string& folder, bool folders) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open{::opendir(folder.c_str()), &::closedir};
  if (!open) formats::detail::fail_io("list the folder", folder);
  std::vector<std::string> out;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.')) continue;
    auto path = path_in(folder, name);
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0 && folders) continue;  // a link to nothing; as a file it fails by name later
    if (S_ISDIR(facts.st_mode) == folders) out.push_back(std::move(path));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace detail

/// Paths of all files of a folder, without those in folders within, in the order of their bytes. Hidden ones are left
/// out. Throws io_error where the folder cannot be listed.
[[nodiscard]] inline std::vector<std::string> files_in(const std::string& folder) {
  return detail::list_folder(folder, false);
}
/// Paths of all folders of a folder, in the same way.
[[nodiscard]] inline std::vector<std::string> folders_in(const std::string& folder) {
  return detail::list_folder(folder, true);
}

/// The last part of a path, and that part up to its last point.
[[nodiscard]] inline std::string_view name_of(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);
}
[[nodiscard]] inline std::string_view stem_of(std::string_view path) noexcept {
  const auto name = name_of(path);
  return name.substr(0, name.rfind('.'));
}

}  // namespace anodiff::io
