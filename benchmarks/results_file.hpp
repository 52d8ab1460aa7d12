// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <charconv>
#include <fstream>
#include <string>
#include <vector>

/// The files in which tables of results are kept: CSV with a line of names, and a line for each run.
namespace results_file {

/// One line of such a file.
class line {
 public:
  /// Throws data_error where there are not `count` fields.
  line(std::string where, const std::string& text, std::size_t count) : where_{std::move(where)}, fields_(1) {
    bool quoted = false;
    for (const char c : text) {
      if (c == '"')
        quoted = !quoted;
      else if (c == ',' && !quoted)
        fields_.emplace_back();
      else
        fields_.back() += c;
    }
    anodiff::check<anodiff::data_error>(fields_.size() == count, where_, " has ", fields_.size(), " fields, not ",
                                        count);
  }
  [[nodiscard]] const std::string& text(std::size_t at) const { return fields_.at(at); }
  /// Throws data_error where the field is not a number of that type.
  template <class T>
  void number(std::size_t at, T& value) const {
    const std::string& field = fields_.at(at);
    const auto end = field.data() + field.size(), stopped = std::from_chars(field.data(), end, value).ptr;
    anodiff::check<anodiff::data_error>(stopped == end && !field.empty(), where_, ", field ", at + 1, ": '", field,
                                        "' is not a number");
  }

 private:
  std::string where_;
  std::vector<std::string> fields_;
};

/// Calls f(line) for each run. A file that is not there holds none. Throws data_error for a line that cannot be read.
template <class F>
void for_each_line(const std::string& path, std::size_t count, F&& f) {
  std::ifstream file{path};
  std::string text;
  std::getline(file, text);
  for (std::size_t number = 2; std::getline(file, text); ++number)
    f(line{path + ", line " + std::to_string(number), text, count});
}

}  // namespace results_file
