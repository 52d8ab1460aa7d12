// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/models/two_views.hpp>
#include <anodiff/scorers/excess.hpp>

namespace anodiff::methods {

struct rows_composite_preset : preset {
  static constexpr std::string_view name = "rows_composite";
};

/// The energy of the empirical denoiser, and the local Gaussian where it finds a row very unusual: see scorers::excess.
template <engine Engine>
using rows_composite = detector<rows_composite_preset, models::two_views<Engine>, scorers::excess>;

}  // namespace anodiff::methods
