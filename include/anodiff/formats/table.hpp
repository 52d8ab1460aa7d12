// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>
#include <anodiff/formats/column.hpp>
#include <string>
#include <vector>

namespace anodiff::formats {

/// Rows with named columns, as a data file gives them.
struct table {
  std::string name;                   ///< the file, for messages
  tensor<double, 2> values;           ///< (n, d); finite, or a quiet NaN where missing values are allowed
  std::vector<std::string> columns;   ///< d names, each once; "0", "1", … where the file has none
  std::vector<std::string> ids;       ///< n, or empty where has_ids is false
  std::vector<int> labels;            ///< n of 0 (normal) and 1 (anomaly), or empty where has_labels is false
  std::vector<column_schema> schema;  ///< d, or empty where nothing was inferred: then every column is numeric
  std::vector<unseen_category>
      unseen;  ///< names that the known columns lack; at most csv_options.max_categories a column
  bool has_ids = false;
  bool has_labels = false;

  [[nodiscard]] index rows() const noexcept { return values.rows(); }
};

}  // namespace anodiff::formats
