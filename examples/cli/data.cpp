// SPDX-License-Identifier: Apache-2.0
#include "data.hpp"

#include <unistd.h>

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/read_table.hpp>
#include <anodiff/pipeline/protocol.hpp>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <unordered_map>

namespace anodiff::cli {

namespace {

/// "a", "b" and 3 more.
std::string list_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i)
    out += concat(i == 0 ? "" : ", ", formats::in_quotes(names[i]));
  if (names.size() > shown) out += concat(" and ", names.size() - shown, " more");
  return out;
}

using places = std::unordered_map<std::string, std::size_t>;

places places_of(const std::vector<std::string>& names) {
  places out;
  for (std::size_t i = 0; i < names.size(); ++i) out.emplace(names[i], i);
  return out;
}
std::vector<std::string> absent(const std::vector<std::string>& names, const places& from) {
  std::vector<std::string> out;
  for (const auto& name : names)
    if (!from.contains(name)) out.push_back(name);
  return out;
}

void reorder(formats::table& rows, const std::vector<std::string>& wanted, const places& found) {
  std::vector<std::size_t> from;
  for (const auto& name : wanted) from.push_back(found.at(name));
  std::vector<double> row(wanted.size());
  for (index i = 0; i < rows.rows(); ++i) {
    const auto values = rows.values.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = values[from[j]];
    std::ranges::copy(row, values.begin());
  }
  if (!rows.schema.empty()) {
    std::vector<formats::column_schema> schema;
    for (const std::size_t j : from) schema.push_back(rows.schema[j]);
    rows.schema = std::move(schema);
  }
  rows.columns = wanted;
}

formats::csv_options options_of(const data_flags& flags) {
  formats::csv_options options;
  options.id_column = flags.id_column;
  options.label_column = flags.label_column;
  return options;
}
formats::table read_some_rows(const std::string& path, const formats::csv_options& options) {
  auto rows = formats::read_table(path, options);
  check<data_error>(rows.rows() > 0, path, ": needs at least one row, got none");
  return rows;
}

}  // namespace

formats::table read_rows(const data_flags& flags, bool allow_missing) {
  auto options = options_of(flags);
  options.allow_missing = allow_missing;
  return read_some_rows(flags.path, options);
}

formats::table read_rows_to_learn(const data_flags& flags, bool mixed, console& out) {
  auto options = options_of(flags);
  options.infer_columns = true;
  auto rows = read_some_rows(flags.path, options);
  const bool categories = std::ranges::any_of(
      rows.schema, [](const auto& column) { return column.kind == formats::column_kind::categorical; });
  if (categories || mixed) {
    out.note(rows.name, ": ", formats::describe_columns(rows));
    return rows;
  }
  rows.schema.clear();
  const bool missing = std::ranges::any_of(rows.values.flat(), [](double v) { return std::isnan(v); });
  return missing ? read_rows(flags) : std::move(rows);  // which names the row in which a value is missing
}

formats::table read_rows_for(const any_detector& model, const data_flags& flags, console& out) {
  auto options = options_of(flags);
  const auto record = model.record();
  options.allow_missing = model.values() == row_values::mixed;
  options.infer_columns = options.allow_missing && names_columns(flags.path) && !record.columns.empty() &&
                          record.columns.size() == record.schema.size();
  if (options.infer_columns)
    for (std::size_t j = 0; j < record.columns.size(); ++j)
      options.known.push_back({record.columns[j], record.schema[j]});
  auto rows = read_some_rows(flags.path, options);
  for (const auto& [column, name, count] : rows.unseen)
    out.note(rows.name, ": column ", formats::in_quotes(column), ": ", formats::in_quotes(name),
             " was not seen at the fit (", count, count == 1 ? " row" : " rows", "); it counts as another category");
  return rows;
}

std::string extension_of(const std::string& path) {
  auto out = std::filesystem::path{path}.extension().string();
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out.empty() ? out : out.substr(1);
}

bool names_columns(const std::string& path) { return extension_of(path) == "csv"; }

tensor<double, 2> normal_rows(formats::table&& rows, console& out) {
  if (!rows.has_labels) return std::move(rows.values);
  std::vector<index> normal;
  for (index i = 0; i < rows.rows(); ++i)
    if (rows.labels[static_cast<std::size_t>(i)] == 0) normal.push_back(i);
  check<data_error>(!normal.empty(), rows.name, ": needs rows with label 0 to learn from, got ", rows.rows(),
                    " rows with label 1");
  const index left_out = rows.rows() - static_cast<index>(normal.size());
  if (left_out == 0) return std::move(rows.values);
  out.note(rows.name, ": left out ", left_out, left_out == 1 ? " row" : " rows", " with label 1 of ", rows.rows());
  return take_rows(rows.values, normal);
}

void match_columns(formats::table& rows, const data_flags& flags, const any_detector& model, console& out) {
  const auto wanted = model.record().columns;
  const auto needed = model.column_means().size();
  check<data_error>(wanted.empty() || (wanted.size() == needed && places_of(wanted).size() == needed),
                    "the model needs ", needed, " different column names, got ", list_of(wanted));
  if (wanted.empty() || !names_columns(flags.path)) {
    check<data_error>(rows.columns.size() == needed, rows.name, ": the model needs ", needed,
                      needed == 1 ? " column" : " columns", ", got ", rows.columns.size());
    return;
  }
  if (rows.columns == wanted) return;
  const auto found = places_of(rows.columns);
  const auto missing = absent(wanted, found), extra = absent(rows.columns, places_of(wanted));
  check<data_error>(missing.empty(), rows.name, ": lacks columns of the model: ", list_of(missing),
                    extra.empty() ? "" : concat("; and has some that the model has not seen: ", list_of(extra)));
  check<data_error>(extra.empty(), rows.name, ": has columns that the model has not seen: ", list_of(extra),
                    "; name one that is no feature with --id or --label");
  reorder(rows, wanted, found);
  out.note(rows.name, ": the columns stand in another order than at the fit; they are matched by name");
}

std::string row_name(const formats::table& rows, index i) {
  return rows.has_ids ? rows.ids[static_cast<std::size_t>(i)] : concat(i + 1);
}

bool names_folder(const std::string& path) {
  check<io_error>(!extension_of(path).empty() || std::filesystem::exists(path), "cannot open ", path,
                  ": No such file or directory");
  return std::filesystem::is_directory(path);
}

void check_can_write(const std::string& path) {
  const std::filesystem::path file{path};
  std::error_code ignored;
  check<io_error>(!path.empty() && !std::filesystem::is_directory(file, ignored), "cannot write ", path,
                  path.empty() ? "a file without a name" : ": it is a folder");
  if (std::filesystem::exists(file, ignored) && !std::filesystem::is_regular_file(file, ignored)) return;
  const auto folder = file.has_parent_path() ? file.parent_path().string() : std::string{"."};
  const bool writable = ::access(folder.c_str(), W_OK | X_OK) == 0;
  const int reason = errno;
  check<io_error>(writable, "cannot write ", path, ": ", std::strerror(reason));
}

}  // namespace anodiff::cli
