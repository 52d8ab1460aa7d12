// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <string>
#include <string_view>

namespace anodiff::formats::detail {

/// Splits a CSV text into cells. It knows rows and lines for messages, but not what the cells mean.
class csv_cells {
 public:
  enum class end { cell, row, text };  ///< what stands after a cell: a delimiter, a line end, nothing

  csv_cells(std::string_view text, const std::string& name, std::size_t longest) : name_{name}, longest_{longest} {
    const bool utf16 = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
    check<data_error>(!utf16, name, ": the text is UTF-16; save it as UTF-8");
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    text_ = text;
    delimiter_ = find_delimiter();
  }

  [[nodiscard]] char delimiter() const noexcept { return delimiter_; }
  [[nodiscard]] bool ended() const noexcept { return at_ == text_.size(); }
  [[nodiscard]] std::string_view rest() const noexcept { return text_.substr(at_); }

  /// True where nothing but line ends is left; goes to the end then.
  bool only_blank_lines_left() noexcept {
    const bool blank = text_.find_first_not_of("\r\n", at_) == std::string_view::npos;
    if (blank) at_ = text_.size();
    return blank;
  }
  /// True at a line end that makes the whole line.
  [[nodiscard]] bool at_line_end() const noexcept { return line_end(at_) > 0; }

  /// Passes size bytes that hold no quote and no line end, where a cell ends after them.
  bool pass(std::size_t size, end& after) noexcept {
    const auto before = at_;
    at_ += size;
    if (finish(after)) return true;
    at_ = before;
    return false;
  }

  /// The next cell without its quotes; good until the next call.
  std::string_view next(end& after) {
    cell_line_ = line_;
    if (!ended() && text_[at_] == '"') return quoted_cell(after);
    const auto first = at_;
    while (!ended() && text_[at_] != delimiter_ && text_[at_] != '\n') {
      if (text_[at_] == '"') fail("a quote inside a cell that does not begin with one");
      ++at_;
    }
    if (at_ > first && text_[at_ - 1] == '\r' && (ended() || text_[at_] == '\n')) --at_;
    const auto cell = text_.substr(first, at_ - first);
    bound(cell.size());
    finish(after);
    return cell;
  }

  /// Throws data_error "NAME: PLACE: parts"; the place is the header or the row of the present cell, and its column.
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    const auto row = row_ == 0 ? concat("header") : concat("row ", row_, " (line ", cell_line_, ")");
    const auto column = column_.empty() ? std::string{} : concat(", column ", in_quotes(column_));
    throw data_error(concat(name_, ": ", row, column, ": ", parts...));
  }
  /// Says where the next cell stands: row 0 is the header; an empty column is unknown.
  void stand_at(std::size_t row, std::string_view column) noexcept {
    row_ = row;
    column_ = column;
    cell_line_ = line_;
  }
  void forget_column() noexcept { column_ = {}; }

 private:
  /// Bytes of the line end at a place; 0 where there is none.
  [[nodiscard]] std::size_t line_end(std::size_t at) const noexcept {
    if (at < text_.size() && text_[at] == '\n') return 1;
    if (at < text_.size() && text_[at] == '\r' && (at + 1 == text_.size() || text_[at + 1] == '\n'))
      return std::min<std::size_t>(2, text_.size() - at);
    return 0;
  }
  /// Passes what ends a cell; false where something else stands here.
  bool finish(end& after) noexcept {
    if (ended()) {
      after = end::text;
    } else if (text_[at_] == delimiter_) {
      ++at_;
      after = end::cell;
    } else if (const auto size = line_end(at_); size > 0) {
      at_ += size;
      ++line_;
      after = end::row;
    } else {
      return false;
    }
    return true;
  }
  void bound(std::size_t size) const {
    if (size > longest_) fail("a cell may have at most ", longest_, " bytes, got ", size);
  }
  std::string_view quoted_cell(end& after) {
    scratch_.clear();
    for (++at_;;) {
      const auto quote = text_.find('"', at_);
      const auto part = text_.substr(at_, quote - at_);
      bound(scratch_.size() + part.size());
      if (quote == std::string_view::npos) fail("a quote has no end");
      line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
      scratch_ += part;
      at_ = quote + 1;
      if (ended() || text_[at_] != '"') break;
      scratch_ += '"';
      ++at_;
    }
    if (!finish(after)) fail("text after the end of a quoted cell");
    return scratch_;
  }
  /// The more frequent of comma and semicolon in the header, outside quotes; a comma where they are even.
  [[nodiscard]] char find_delimiter() const noexcept {
    std::size_t commas = 0, semicolons = 0;
    bool inside = false;
    for (const char c : text_) {
      if (c == '"') inside = !inside;
      if (inside) continue;
      if (c == '\n') break;
      commas += c == ',';
      semicolons += c == ';';
    }
    return semicolons > commas ? ';' : ',';
  }

  const std::string& name_;
  std::size_t longest_;
  std::string_view text_;
  char delimiter_ = ',';
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t cell_line_ = 1;  // where the present cell begins
  std::size_t row_ = 0;
  std::string_view column_;
  std::string scratch_;
};

}  // namespace anodiff::formats::detail
