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

/// Reads the table that a fit learns from. Columns of text are categories; where there are such, or mixed is true,
/// missing values are taken too, the table has a schema, and what was inferred is noted. Otherwise it has none.
[[nodiscard]] formats::table read_rows_to_learn(const data_flags& flags, bool mixed, console& out);

/// Reads a table for a model that has been fitted: categories become the codes that it has learned. Notes names that it
/// has not seen.
[[nodiscard]] formats::table read_rows_for(const any_detector& model, const data_flags& flags, console& out);

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

/// Whether --data names a folder. Throws io_error where it names nothing, and has no extension of a file either.
[[nodiscard]] bool names_folder(const std::string& path);

/// What follows the last point, in lower case.
[[nodiscard]] std::string extension_of(const std::string& path);

}  // namespace anodiff::cli
