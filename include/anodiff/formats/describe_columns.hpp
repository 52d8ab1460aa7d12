// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/table.hpp>
#include <cmath>
#include <string>

namespace anodiff::formats {

namespace detail {

/// The name that a code stands for; "other" for a code beyond the names.
[[nodiscard]] inline std::string category_name(const column_schema& column, double code) {
  const auto at = static_cast<std::size_t>(std::max(0.0, code));
  return at < column.categories.size() ? column.categories[at] : "other";
}

}  // namespace detail

/// One sentence on what a table's columns are taken for: how many are numeric, which are categorical, with their
/// names, and how many values are missing. Long lists are cut.
[[nodiscard]] inline std::string describe_columns(const table& rows) {
  constexpr std::size_t shown_columns = 8, shown_names = 6;
  std::string list;
  std::size_t categorical = 0;
  for (std::size_t j = 0; j < rows.schema.size(); ++j) {
    const auto& names = rows.schema[j].categories;
    if (rows.schema[j].kind == column_kind::numeric || ++categorical > shown_columns) continue;
    list += concat(categorical == 1 ? ": " : "; ", in_quotes(rows.columns[j]), " (");
    for (std::size_t k = 0; k < std::min(shown_names, names.size()); ++k)
      list += concat(k == 0 ? "" : ", ", in_quotes(names[k]));
    list += names.size() > shown_names ? concat(" and ", names.size() - shown_names, " more)") : ")";
  }
  if (categorical > shown_columns) list += concat(" and ", categorical - shown_columns, " more");
  const auto numeric = rows.columns.size() - categorical;
  const auto missing = std::ranges::count_if(rows.values.flat(), [](double v) { return std::isnan(v); });
  return concat(numeric, numeric == 1 ? " numeric column, " : " numeric columns, ", categorical, " categorical", list,
                "; ", missing, missing == 1 ? " missing value" : " missing values");
}

}  // namespace anodiff::formats
