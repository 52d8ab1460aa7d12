// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.hpp"

namespace anodiff::cli {

struct explain_flags {
  common_flags common;
  data_flags data;
  focus_flags focus;
  std::string model, maps;
  index top = 10, features = 5, regions = 5;
  std::optional<double> threshold;
  bool skip_bad = false;
};

/// The places of the highest scores, highest first; of equal scores the earlier one first.
[[nodiscard]] std::vector<index> highest(const std::vector<double>& score, index count);

/// The pictures with the highest scores, and the regions that make them so.
void explain_pictures(const explain_flags& flags);

}  // namespace anodiff::cli
