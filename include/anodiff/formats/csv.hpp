// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/csv_writer.hpp>
#include <anodiff/formats/describe_columns.hpp>
#include <anodiff/formats/detail/csv_reader.hpp>
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/table.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace anodiff::formats {

/// Reads a CSV text: a header line, comma or semicolon (whichever the header has more of), RFC 4180 quoting, LF or
/// CRLF, with or without a UTF-8 byte order mark; blank lines at the end are left out. name stands for it in messages.
/// Throws data_error, naming row (from 1, without the header), line and column, on a row of another length, a cell that
/// is no finite number, an empty cell unless options allow it, a label other than 0 and 1, a quote without an end; and
/// on a header with an empty name or one name twice, or without a column that options name. With options.infer_columns
/// a column of which at least half of the cells that are not missing are no numbers is categorical: its values are
/// codes in the order of its names, and more than options.max_categories names are refused.
[[nodiscard]] inline table parse_csv(byte_span content, std::string name, const csv_options& options = {}) {
  return detail::csv_reader{text_of(content), std::move(name), options}.read();
}

/// Reads a CSV file. Throws io_error where it cannot be read, data_error as parse_csv.
[[nodiscard]] inline table read_csv(const std::string& path, const csv_options& options = {},
                                    std::uint64_t limit = default_file_limit) {
  return parse_csv(read_file(path, limit).span(), path, options);
}

/// Writes a table as CSV: ids under id_column and labels under label_column where it has them, then its columns; a
/// missing value is an empty cell, a category its name, another category than those "other". Numbers are shortest, so
/// that they read back the same.
template <byte_sink Sink>
void write_csv(Sink& sink, const table& rows, std::string_view id_column = "id",
               std::string_view label_column = "label") {
  csv_writer out{sink};
  if (rows.has_ids) out.cell(id_column);
  for (const auto& column : rows.columns) out.cell(std::string_view{column});
  if (rows.has_labels) out.cell(label_column);
  out.end_row();
  for (index i = 0; i < rows.rows(); ++i) {
    if (rows.has_ids) out.cell(std::string_view{rows.ids[static_cast<std::size_t>(i)]});
    for (std::size_t j = 0; j < rows.columns.size(); ++j) {
      const double value = rows.values.row(i)[j];
      if (rows.schema.empty() || rows.schema[j].kind == column_kind::numeric || std::isnan(value))
        out.cell(value);
      else
        out.cell(std::string_view{detail::category_name(rows.schema[j], value)});
    }
    if (rows.has_labels) out.cell(rows.labels[static_cast<std::size_t>(i)]);
    out.end_row();
  }
  out.finish();
}
/// The same to a file, whole or not at all; throws io_error where the system refuses.
inline void write_csv(const std::string& path, const table& rows, std::string_view id_column = "id",
                      std::string_view label_column = "label") {
  write_file_atomically(path, [&](file_sink& sink) { write_csv(sink, rows, id_column, label_column); });
}

}  // namespace anodiff::formats
