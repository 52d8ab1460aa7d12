// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/file.hpp>
#include <charconv>
#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

namespace anodiff::formats {

/// Writes CSV cell by cell: commas, LF, quotes where RFC 4180 needs them or a reader could misread the cell. The sink
/// must outlive it; all is written after finish().
template <byte_sink Sink>
class csv_writer {
 public:
  explicit csv_writer(Sink& sink) noexcept : sink_{sink} {}

  void cell(std::string_view text) {
    separate();
    if (!needs_quotes(text)) {
      pending_ += text;
      return;
    }
    pending_ += '"';
    for (const char c : text) {
      if (c == '"') pending_ += '"';
      pending_ += c;
    }
    pending_ += '"';
  }
  void cell(const char* text) { cell(std::string_view{text}); }
  /// NaN, a missing value, is an empty cell; infinity throws numeric_error.
  void cell(double value) {
    check<numeric_error>(!std::isinf(value), "csv_writer: a number to be written must be finite, got ", value);
    if (std::isnan(value)) return cell(std::string_view{});
    separate();
    append(value);
  }
  /// A bool is 0 or 1.
  void cell(std::integral auto value) {
    separate();
    append(+value);
  }
  void end_row() {
    if (begun_ && pending_.size() == row_first_) pending_ += "\"\"";  // one empty cell: a blank line is no row
    pending_ += '\n';
    begun_ = false;
    if (pending_.size() >= gathered) finish();
    row_first_ = pending_.size();
  }
  void finish() {
    sink_.write(bytes_of(pending_));
    pending_.clear();
  }

 private:
  static constexpr std::size_t gathered = std::size_t{1} << 16;

  void append(auto number) {
    char text[32];
    pending_.append(text, std::to_chars(text, text + sizeof text, number).ptr);
  }
  void separate() {
    if (begun_) pending_ += ',';
    begun_ = true;
  }
  static bool needs_quotes(std::string_view text) noexcept {
    if (text.empty()) return false;
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    return text.find_first_of(",;\"\r\n") != std::string_view::npos || blank(text.front()) || blank(text.back()) ||
           text.front() == '\xef';  // could be taken for a byte order mark
  }

  Sink& sink_;
  std::string pending_;
  std::size_t row_first_ = 0;
  bool begun_ = false;
};

}  // namespace anodiff::formats
