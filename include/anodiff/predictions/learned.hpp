// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/predictions/epsilon.hpp>

namespace anodiff::predictions {

/// Another prediction, and in the second half of the outputs the variance of the reverse step itself: diffusers'
/// `learned`, for networks that were trained elsewhere. Nichol & Dhariwal 2021, arXiv:2102.09672, section 3.1, found it
/// hard to learn, and learn it by learned_range; there is no objective for it here. A variance below 0 counts as 0.
template <prediction Mean = epsilon>
class learned : public Mean {
 public:
  using params = typename Mean::params;
  using mean_policy = Mean;
  static constexpr std::string_view name = "learned";
  static constexpr variance_form variance = variance_form::itself;

  using Mean::Mean;
};
static_assert(prediction<learned<>>);

}  // namespace anodiff::predictions
