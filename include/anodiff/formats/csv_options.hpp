// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/column.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace anodiff::formats {

/// How a table is read.
struct csv_options {
  std::string id_column = {};            ///< a column of names for the rows, not a feature; empty for none
  std::string label_column = {};         ///< a column of 0 (normal) and 1 (anomaly), not a feature; empty for none
  std::size_t max_columns = 1'048'576;   ///< columns, id and label included
  std::size_t max_cell = 65'536;         ///< bytes of one cell
  bool allow_missing = false;            ///< take an empty cell or NaN as a missing value, a quiet NaN
  bool infer_columns = false;            ///< take columns of text as categorical, and missing values as allow_missing
  std::size_t max_categories = 256;      ///< different texts of one categorical column
  std::vector<named_column> known = {};  ///< with infer_columns: columns whose schema is known; those not named here
                                         ///< are numeric; empty = all are inferred
};

}  // namespace anodiff::formats
