// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/file.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace formats_fixtures {

/// What f says when it throws exactly an Error; anything else fails the test.
template <class Error = anodiff::data_error, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    if (typeid(e) != typeid(Error)) FAIL("another class of error: " << e.what());
    return e.what();
  }
  FAIL("nothing was thrown");
  return {};
}

/// A folder of its own, removed with all in it.
class scratch_folder {
 public:
  scratch_folder() {
    auto name = (std::filesystem::temp_directory_path() / "anodiff-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
    path_ = name;
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  /// Names of all that is in it, sorted.
  [[nodiscard]] std::vector<std::string> list() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
      out.push_back(entry.path().filename().string());
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  std::filesystem::path path_;
};

inline std::string data_file(std::string_view name) {
  return anodiff::concat(ANODIFF_TESTS_DIR, "/formats/data/", name);
}
inline anodiff::formats::buffer buffer_of(std::string_view text) {
  return anodiff::formats::buffer{anodiff::formats::bytes_of(text)};
}
inline std::string content_of(const std::string& path) {
  return std::string{anodiff::formats::text_of(anodiff::formats::read_file(path).span())};
}
/// An unsigned number as little-endian bytes.
template <class T>
std::string little(T value) {
  return std::string{reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace formats_fixtures
