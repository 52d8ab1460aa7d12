// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/models/two_views.hpp>
#include <anodiff/scorers/excess.hpp>

namespace anodiff::methods {

struct rows_default_preset : preset {
  static constexpr std::string_view name = "rows_default";
};

/// What to take for rows when nothing is known about them: rows_composite with its numbers as they are. It was chosen
/// among the library's methods on random halves of 22 ADBench sets and judged on the other halves, where it led the
/// best k-nearest-neighbour detector; benchmarks/adbench/README.md has the figures, and the sets where it did not.
template <engine Engine>
using rows_default = detector<rows_default_preset, models::two_views<Engine>, scorers::excess>;

}  // namespace anodiff::methods
