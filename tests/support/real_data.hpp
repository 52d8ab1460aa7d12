// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

namespace anodiff::test {

/// The path of a real data set under $ANODIFF_DATA, or under ../shared/data beside the repository; empty, with a word
/// on stderr, where it is absent. Such sets are for development: a test that wants one passes without it.
[[nodiscard]] inline std::string real_data(const std::string& name) {
  const char* given = std::getenv("ANODIFF_DATA");
  const std::filesystem::path root =
      given != nullptr ? given : std::filesystem::path{ANODIFF_TESTS_DIR} / ".." / ".." / "shared" / "data";
  if (std::filesystem::exists(root / name)) return (root / name).string();
  std::cerr << "skipped: no data set " << name << '\n';
  return {};
}

}  // namespace anodiff::test
