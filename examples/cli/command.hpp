// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <anodiff/concepts/parameters.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace anodiff::cli {

/// What every command takes.
struct common_flags {
  int threads = 0;  ///< 0 = one a core
  bool json = false;
  bool quiet = false;
};

/// The table that a command reads.
struct data_flags {
  std::string path, id_column, label_column;
};

/// The numbers of a method: name=value pairs, and those that have a flag of their own, which win.
struct number_flags {
  std::vector<std::string> pairs;
  std::optional<std::string> alpha, time_budget, seed;

  /// In the form that any_detector takes. Throws invalid_argument on what is no pair.
  [[nodiscard]] text_fields fields() const;
};

/// What of a picture may raise an alarm.
struct focus_flags {
  std::string interest;  ///< a picture, bright where pixels count; empty: all do
  index minimum_area = 1;

  [[nodiscard]] bool given() const { return !interest.empty() || minimum_area != 1; }
};

void add_common(CLI::App& command, common_flags& flags);
void add_data(CLI::App& command, data_flags& flags, const std::string& what);
void add_focus(CLI::App& command, focus_flags& flags);
/// Throws invalid_argument where they are given for data that are no folder of pictures.
void refuse_focus(const focus_flags& flags, const data_flags& data);

// Each adds one command to the program; it runs while the command line is parsed.
void add_methods(CLI::App& program);
void add_fit(CLI::App& program);
void add_score(CLI::App& program);
void add_explain(CLI::App& program);
void add_evaluate(CLI::App& program);
void add_metrics(CLI::App& program);
void add_info(CLI::App& program);
void add_calibrate(CLI::App& program);

}  // namespace anodiff::cli
