// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/methods/detector.hpp>
#include <anodiff/models/column_kernel.hpp>
#include <anodiff/scorers/energy.hpp>

namespace anodiff::methods {

struct empirical_em_preset : preset {
  static constexpr std::string_view name = "empirical_em";
};

/// The exact denoiser of the training rows with a noise level for each column, found by expectation maximisation; the
/// score is its energy at one level, from the clean row. See models::column_kernel and scorers::energy.
template <engine Engine>
using empirical_em = detector<empirical_em_preset, models::column_kernel<Engine>, scorers::energy>;

}  // namespace anodiff::methods
