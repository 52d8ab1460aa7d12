// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/predictions/epsilon.hpp>

namespace anodiff::predictions {

/// Another prediction, and in the second half of the outputs the variance of the reverse step, as v in [−1, 1]:
/// log variance = log β̃ + (v + 1) / 2 (log β − log β̃), between the two variances of Ho et al. Nichol & Dhariwal 2021,
/// arXiv:2102.09672, eq. 15; diffusers' learned_range. objectives::hybrid trains it, samplers::ddpm draws with it.
template <prediction Mean = epsilon>
class learned_range : public Mean {
 public:
  using params = typename Mean::params;
  using mean_policy = Mean;
  static constexpr std::string_view name = "learned_range";
  static constexpr variance_form variance = variance_form::between;

  using Mean::Mean;
};
static_assert(prediction<learned_range<>>);

}  // namespace anodiff::predictions
