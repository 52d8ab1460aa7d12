// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/csv_options.hpp>
#include <anodiff/formats/detail/csv_cells.hpp>
#include <anodiff/formats/detail/decimal.hpp>
#include <anodiff/formats/detail/utf8.hpp>
#include <anodiff/formats/table.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::formats::detail {

[[nodiscard]] inline std::string_view without_blanks(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// "nan" in any case.
[[nodiscard]] inline bool says_nan(std::string_view text) noexcept {
  return text.size() == 3 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'a' && (text[2] | 0x20) == 'n';
}

/// The whole text as a number; nothing where it is none. Infinity stays infinity, also where double has no room.
[[nodiscard]] inline std::optional<double> number_of(std::string_view text) noexcept {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto last = text.data() + text.size();
  const auto [end, status] = decimal_from(text.data(), last, value);
  if (end != last || status == std::errc::invalid_argument) return std::nullopt;
  return status == std::errc{} ? value : std::numeric_limits<double>::infinity();
}

/// Reads a CSV text into a table in one pass.
class csv_reader {
 public:
  csv_reader(std::string_view text, std::string name, const csv_options& options)
      : options_{options}, name_{std::move(name)}, cells_{text, name_, options.max_cell} {
    check(options.id_column.empty() || options.id_column != options.label_column, "read_csv: column ",
          in_quotes(options.id_column), " cannot be both id and label");
  }

  table read() {
    check<data_error>(!cells_.only_blank_lines_left(), name_, ": need a header line, got an empty file");
    read_header();
    if (options_.infer_columns) options_.known.empty() ? infer_columns() : take_known_columns();
    const auto width = static_cast<std::size_t>(std::ranges::count(roles_, role::value));
    std::vector<double> values;
    reserve(values, width);
    std::size_t rows = 0;
    while (!cells_.ended() && !cells_.only_blank_lines_left()) read_row(++rows, values);

    out_.values = tensor<double, 2>{{static_cast<index>(rows), static_cast<index>(width)}};
    std::ranges::copy(values, out_.values.data());
    if (options_.infer_columns) finish_columns();
    out_.name = std::move(name_);
    return std::move(out_);
  }

 private:
  enum class role : std::uint8_t { value, id, label };
  using codes = std::map<std::string, std::size_t, std::less<>>;

  void read_header() {
    bool all_numbers = true, any_broken_number = false;
    for (auto after = csv_cells::end::cell; after == csv_cells::end::cell;) {
      if (header_.size() == options_.max_columns) cells_.fail("more than ", options_.max_columns, " columns");
      const auto cell = without_blanks(cells_.next(after));
      if (cell.empty()) cells_.fail("column ", header_.size() + 1, " has no name");
      if (utf8_error(cell) != cell.size()) cells_.fail("column ", header_.size() + 1, " has a name that is not UTF-8");
      all_numbers = all_numbers && number_of(cell);
      any_broken_number = any_broken_number || cell.find_first_not_of("0123456789") != std::string_view::npos;
      header_.emplace_back(cell);
    }
    if (all_numbers && any_broken_number) cells_.fail("need names of columns in the first line, got numbers alone");
    refuse_twins();
    roles_.assign(header_.size(), role::value);
    out_.has_ids = give_role(options_.id_column, role::id, "an id");
    out_.has_labels = give_role(options_.label_column, role::label, "a label");
    for (std::size_t i = 0; i < header_.size(); ++i)
      if (roles_[i] == role::value) out_.columns.push_back(header_[i]);
    check<data_error>(!out_.columns.empty(), name_, ": header: no column is left as a feature");
  }
  void refuse_twins() const {
    auto sorted = header_;
    std::ranges::sort(sorted);
    const auto twin = std::ranges::adjacent_find(sorted);
    if (twin != sorted.end()) cells_.fail("two columns are named ", in_quotes(*twin));
  }
  bool give_role(std::string_view column, role what, std::string_view kind) {
    if (column.empty()) return false;
    const auto at = std::ranges::find(header_, column);
    if (at == header_.end()) cells_.fail("need ", kind, " column ", in_quotes(column), ", got ", some_names());
    roles_[static_cast<std::size_t>(at - header_.begin())] = what;
    return true;
  }
  [[nodiscard]] std::string some_names() const {
    constexpr std::size_t most = 8;
    std::string out;
    for (std::size_t i = 0; i < std::min(header_.size(), most); ++i)
      out += concat(i == 0 ? "" : ", ", in_quotes(header_[i]));
    return header_.size() > most ? out + ", ..." : out;
  }

  /// Room for all values at once, as far as the text can hold them: each needs a byte at least.
  void reserve(std::vector<double>& values, std::size_t width) const {
    const auto rest = cells_.rest();
    const auto lines = static_cast<std::size_t>(std::ranges::count(rest, '\n')) + 1;
    const auto most = rest.size() + 1;
    values.reserve(lines > most / width ? most : lines * width);
  }

  void read_row(std::size_t row, std::vector<double>& values) {
    cells_.stand_at(row, {});
    if (cells_.at_line_end()) cells_.fail("the line is blank");
    auto after = csv_cells::end::cell;
    for (std::size_t i = 0; i < header_.size(); ++i) {
      if (after != csv_cells::end::cell) fail_width(i, after);
      cells_.stand_at(row, header_[i]);
      if (roles_[i] == role::value)
        values.push_back(is_categorical(i) ? read_category(i, after) : read_value(after));
      else if (roles_[i] == role::id)
        out_.ids.emplace_back(cells_.next(after));
      else
        out_.labels.push_back(read_label(after));
    }
    if (after == csv_cells::end::cell) fail_width(header_.size(), after);
  }
  /// For a row that ended after got cells, or did not end there.
  [[noreturn]] void fail_width(std::size_t got, csv_cells::end after) {
    for (; after == csv_cells::end::cell; ++got) cells_.next(after);
    cells_.forget_column();
    cells_.fail("need ", header_.size(), " cells as in the header, got ", got);
  }

  double read_value(csv_cells::end& after) {
    const auto rest = cells_.rest();
    double value = 0;
    const auto [end, status] = decimal_from(rest.data(), rest.data() + rest.size(), value);
    if (status == std::errc{} && std::isfinite(value) &&
        cells_.pass(static_cast<std::size_t>(end - rest.data()), after))
      return value;
    return read_other_value(after);
  }
  /// A cell with quotes, blanks or a plus sign; a missing one; or an error.
  double read_other_value(csv_cells::end& after) {
    const auto cell = without_blanks(cells_.next(after));
    if (cell.empty() || says_nan(cell)) {
      if (options_.allow_missing || options_.infer_columns) return std::numeric_limits<double>::quiet_NaN();
      cells_.fail("need a number, got ", cell.empty() ? "an empty cell" : in_quotes(cell),
                  "; missing values are not allowed here");
    }
    const auto value = number_of(cell);
    if (value && std::isfinite(*value)) return *value;
    if (value) cells_.fail("need a finite number, got ", in_quotes(cell));
    auto with_point = std::string{cell};
    std::ranges::replace(with_point, ',', '.');
    const bool comma = with_point != cell && number_of(with_point);
    cells_.fail("need a number, got ", in_quotes(cell), comma ? "; decimals need a point, not a comma" : "");
  }

  [[nodiscard]] bool is_categorical(std::size_t column) const noexcept {
    return !kinds_.empty() && kinds_[column] == column_kind::categorical;
  }
  /// A column is categorical where its cells are texts, by majority: a misprint among numbers stays an error.
  void infer_columns() {
    std::vector<std::size_t> numbers(header_.size()), texts(header_.size());
    csv_cells ahead = cells_;
    for (std::size_t row = 1; !ahead.ended() && !ahead.only_blank_lines_left(); ++row) {
      auto after = csv_cells::end::cell;
      for (std::size_t i = 0; after == csv_cells::end::cell; ++i) {
        ahead.stand_at(row, i < header_.size() ? header_[i] : std::string_view{});
        const auto cell = without_blanks(ahead.next(after));
        if (i < header_.size() && !cell.empty() && !says_nan(cell)) ++(number_of(cell) ? numbers : texts)[i];
      }
    }
    kinds_.assign(header_.size(), column_kind::numeric);
    for (std::size_t i = 0; i < header_.size(); ++i)
      if (texts[i] > 0 && texts[i] >= numbers[i]) kinds_[i] = column_kind::categorical;
    codes_.resize(header_.size());
  }
  void take_known_columns() {
    kinds_.assign(header_.size(), column_kind::numeric);
    codes_.resize(header_.size());
    unseen_.resize(header_.size());
    for (const auto& [name, schema] : options_.known) {
      const auto at = std::ranges::find(header_, name);
      if (at == header_.end()) continue;
      const auto i = static_cast<std::size_t>(at - header_.begin());
      kinds_[i] = schema.kind;
      for (const auto& category : schema.categories) codes_[i].emplace(category, codes_[i].size());
    }
  }
  double read_category(std::size_t column, csv_cells::end& after) {
    const auto cell = without_blanks(cells_.next(after));
    if (cell.empty() || says_nan(cell)) return std::numeric_limits<double>::quiet_NaN();
    auto& names = codes_[column];
    if (const auto found = names.find(cell); found != names.end()) return static_cast<double>(found->second);
    if (!options_.known.empty()) {
      auto& others = unseen_[column];
      if (const auto found = others.find(cell); found != others.end())
        ++found->second;
      else if (others.size() < options_.max_categories)
        others.emplace(cell, 1);
      return static_cast<double>(names.size());
    }
    if (utf8_error(cell) != cell.size()) cells_.fail("need a category in UTF-8, got another text");
    if (names.size() == options_.max_categories)
      cells_.fail("a categorical column may have at most ", options_.max_categories, " different texts, got ",
                  in_quotes(cell), " beside them; a column that names the rows is no feature");
    const auto code = names.size();
    names.emplace(cell, code);
    return static_cast<double>(code);
  }
  /// Codes by place in the file become codes in the order of the names.
  void finish_columns() {
    index j = 0;
    for (std::size_t i = 0; i < header_.size(); ++i) {
      if (roles_[i] != role::value) continue;
      column_schema schema{.kind = kinds_[i]};
      std::vector<double> rank(codes_[i].size() + 1, static_cast<double>(codes_[i].size()));
      for (const auto& [name, code] : codes_[i]) {
        rank[code] = static_cast<double>(schema.categories.size());
        schema.categories.push_back(name);
      }
      if (is_categorical(i))
        for (index row = 0; row < out_.values.rows(); ++row)
          if (double& code = out_.values(row, j); !std::isnan(code)) code = rank[static_cast<std::size_t>(code)];
      if (!unseen_.empty())
        for (const auto& [name, rows] : unseen_[i]) out_.unseen.push_back({header_[i], name, static_cast<index>(rows)});
      out_.schema.push_back(std::move(schema));
      ++j;
    }
  }

  int read_label(csv_cells::end& after) {
    const auto cell = without_blanks(cells_.next(after));
    const auto value = number_of(cell);
    if (!value || (*value != 0 && *value != 1)) cells_.fail("need a label 0 or 1, got ", in_quotes(cell));
    return *value == 1 ? 1 : 0;
  }
  const csv_options& options_;
  std::string name_;
  csv_cells cells_;
  std::vector<std::string> header_;
  std::vector<role> roles_;
  std::vector<column_kind> kinds_;     // of the header's columns; empty where nothing is inferred
  std::vector<codes> codes_, unseen_;  // of the header's columns: code of each category; rows of each unseen name
  table out_;
};

}  // namespace anodiff::formats::detail
