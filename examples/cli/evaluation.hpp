// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/table.hpp>

#include "command.hpp"
#include "json.hpp"

namespace anodiff::cli {

struct evaluate_flags {
  common_flags common;
  data_flags data;
  number_flags numbers;
  focus_flags focus;
  std::string method, report, protocol = "shuffled";
  std::vector<std::uint64_t> seeds{0, 1, 2, 3, 4};
  index cap = 20'000;

  [[nodiscard]] bool published() const { return protocol == "published"; }
};

/// The evaluation of a folder of pictures with test pictures and their masks.
void evaluate_pictures(const evaluate_flags& flags);

/// Over the seeds; the deviation of one seed is 0.
[[nodiscard]] double mean_of(const std::vector<double>& values);
[[nodiscard]] double deviation_of(const std::vector<double>& values);

/// What one seed gives.
struct outcome {
  double train_rows = 0, test_rows = 0, fit_seconds = 0, score_seconds = 0;
  double auroc = 0, ap = 0, f1 = 0, f1_max = 0;
  std::optional<double> promised, obtained;  ///< rate of false alarms; empty without calibration
  index network_calls = 0;
  text_fields numbers;
};

/// The result as JSON; rates and metrics are fractions.
[[nodiscard]] json evaluation_document(const evaluate_flags& flags, const formats::table& rows,
                                       const std::vector<outcome>& all);
/// The same as text, in per cent.
[[nodiscard]] std::string evaluation_text(const evaluate_flags& flags, const formats::table& rows, const json& facts);

}  // namespace anodiff::cli
