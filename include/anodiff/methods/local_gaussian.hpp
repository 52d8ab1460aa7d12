// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/models/column_kernel.hpp>
#include <anodiff/scorers/local_gaussian.hpp>

namespace anodiff::methods {

struct local_gaussian_preset : preset {
  static constexpr std::string_view name = "local_gaussian";
  static constexpr models::column_kernel_params model{.tame_tails = true};
};

/// A Gaussian around a row's fifteen nearest training rows, heavy-tailed columns tamed: sees what lies off the sheet on
/// which the normal rows live. See scorers::local_gaussian.
template <engine Engine>
using local_gaussian = detector<local_gaussian_preset, models::column_kernel<Engine>, scorers::local_gaussian>;

}  // namespace anodiff::methods
