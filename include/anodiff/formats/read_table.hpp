// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/csv.hpp>
#include <anodiff/formats/npy.hpp>
#include <anodiff/formats/table.hpp>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#ifdef ANODIFF_HAS_ZLIB
#include <anodiff/formats/npz.hpp>
#endif

namespace anodiff::formats {

namespace detail {

/// An array of (n, d) or (n), which is one column, as a table with columns "0", "1", ….
inline table table_of(const array& from, const csv_options& options) {
  const auto rank = from.shape().size();
  check<data_error>(rank == 1 || rank == 2, from.name(), ": need rows (n, d) or one column (n), got shape ",
                    shape_text(from.shape()));
  const index rows = from.shape()[0], width = rank == 2 ? from.shape()[1] : 1;
  check<data_error>(width > 0, from.name(), ": need at least one column, got shape ", shape_text(from.shape()));
  check<data_error>(static_cast<std::uint64_t>(width) <= options.max_columns, from.name(), ": at most ",
                    options.max_columns, " columns can be read, got ", width);
  table out;
  out.name = from.name();
  out.values = tensor<double, 2>{{rows, width}};
  from.copy_to(out.values.flat());
  for (index j = 0; j < width; ++j) out.columns.push_back(concat(j));
  if (options.infer_columns) out.schema.resize(static_cast<std::size_t>(width));
  for (index i = 0; i < rows; ++i)
    for (index j = 0; j < width; ++j) {
      const double value = out.values(i, j);
      if (std::isfinite(value) || (std::isnan(value) && (options.allow_missing || options.infer_columns))) continue;
      const auto what = std::isnan(value) ? "NaN; missing values are not allowed here" : value > 0 ? "inf" : "-inf";
      throw data_error(concat(from.name(), ": row ", i + 1, ", column \"", j, "\": need a finite number, got ", what));
    }
  return out;
}

/// Labels (n) or (n, 1) of 0 and 1, in any type of number.
inline std::vector<int> labels_of(const array& from, index rows) {
  const auto& shape = from.shape();
  const bool column = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
  check<data_error>(column && shape[0] == rows, from.name(), ": need labels of shape (", rows, ",), got ",
                    shape_text(shape));
  std::vector<double> values(static_cast<std::size_t>(rows));
  from.copy_to(std::span{values});
  std::vector<int> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    check<data_error>(values[i] == 0 || values[i] == 1, from.name(), ": row ", i + 1, ": need a label 0 or 1, got ",
                      values[i]);
    out[i] = values[i] == 1 ? 1 : 0;
  }
  return out;
}

#ifdef ANODIFF_HAS_ZLIB
inline table table_of(const npz_file& from, const csv_options& options) {
  table out = table_of(from.read("X"), options);
  out.name = from.name();
  const std::string_view labels = options.label_column.empty() ? "y" : std::string_view{options.label_column};
  out.has_labels = !options.label_column.empty() || from.contains(labels);
  if (out.has_labels) out.labels = labels_of(from.read(labels), out.rows());
  return out;
}
#endif

/// What follows the last point of a path's last part, in lower case.
inline std::string extension_of(std::string_view path) {
  const auto point = path.find_last_of("./");
  if (point == std::string_view::npos || path[point] == '/') return {};
  std::string out{path.substr(point + 1)};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

}  // namespace detail

/// Reads rows from a .csv, .npz or .npy file, told apart by its extension. An npz holds X (n, d) and, where rows are
/// labelled, y (n) of 0 and 1 (or an array named as options.label_column); an npy holds (n, d) or one column (n).
/// Throws io_error where the file cannot be read; data_error, naming row and column, where it is damaged or a value is
/// infinite, or NaN unless options allow it; invalid_argument on another extension, or on an id column of an array.
[[nodiscard]] inline table read_table(const std::string& path, const csv_options& options = {}) {
  const auto extension = detail::extension_of(path);
  if (extension == "csv") return read_csv(path, options);
  check(extension == "npz" || extension == "npy", "read_table: need a .csv, .npz or .npy file, got ", path);
  check(options.id_column.empty(), "read_table: an array has no column \"", options.id_column, "\" for ids: ", path);
  if (extension == "npy") {
    check(options.label_column.empty(), "read_table: a .npy file has no labels \"", options.label_column, "\": ", path);
    return detail::table_of(read_npy(path), options);
  }
#ifdef ANODIFF_HAS_ZLIB
  return detail::table_of(read_npz(path), options);
#else
  throw invalid_argument(concat("read_table: .npz needs zlib, which this program was built without: ", path));
#endif
}

}  // namespace anodiff::formats
