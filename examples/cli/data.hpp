// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>
#include <anodiff/formats/table.hpp>
#include <anodiff/runtime/erased_detector.hpp>
#include <string>
#include <vector>

#include "command.hpp"
#include "console.hpp"

namespace anodiff::cli {

/// Reads the table that the flags name. Throws data_error where it has no row, and what formats::read_table throws.
[[nodiscard]] formats::table read_rows(const data_flags& flags, bool allow_missing = false);

/// True where the file gives its columns names of its own.
[[nodiscard]] bool names_columns(const std::string& path);

/// The rows with label 0; all rows where there are no labels. Notes how many were left out. Throws data_error where
/// nothing is left.
[[nodiscard]] tensor<double, 2> normal_rows(formats::table&& rows, console& out);

/// Brings the columns into the model's order: by name where both name them, otherwise only their number must agree.
/// Notes a changed order. Throws data_error naming the columns that are missing and those that the model has not seen.
void match_columns(formats::table& rows, const data_flags& flags, const any_detector& model, console& out);

/// The name under which a row is shown: its id, or its number from 1.
[[nodiscard]] std::string row_name(const formats::table& rows, index i);

/// Throws io_error unless a file could be written there: found before the work, not after it.
void check_can_write(const std::string& path);

/// What follows the last point, in lower case.
[[nodiscard]] std::string extension_of(const std::string& path);

}  // namespace anodiff::cli
