// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.hpp"

namespace anodiff::cli {

struct score_flags {
  common_flags common;
  data_flags data;
  std::string model, out, maps, report;
  focus_flags focus;
  bool skip_bad = false;
};

/// The scores of a folder of pictures.
void score_pictures(const score_flags& flags);

}  // namespace anodiff::cli
