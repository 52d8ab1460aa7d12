// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace anodiff::formats {

/// What the values of a column are.
enum class column_kind : std::uint8_t { numeric, categorical };

/// A column's kind; of a categorical one, the names that its codes 0, 1, … stand for. Code K, their number, stands for
/// any other name; a quiet NaN for a missing value of either kind.
struct column_schema {
  column_kind kind = column_kind::numeric;
  std::vector<std::string> categories = {};  ///< K names in sorted order, each once; empty where numeric

  bool operator==(const column_schema&) const = default;
};

/// A column that is known before a table is read.
struct named_column {
  std::string name;
  column_schema schema;
};

/// A name that a known categorical column does not have; it was read as code K.
struct unseen_category {
  std::string column, name;
  index rows = 0;  ///< in which it stands
};

}  // namespace anodiff::formats
