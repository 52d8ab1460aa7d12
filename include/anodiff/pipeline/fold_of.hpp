// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>

namespace anodiff {

/// x̂_0 = first x_t + second F at a level: the prediction's fold, or F itself for models that give the clean sample.
template <denoiser Model, prediction Prediction>
[[nodiscard]] mixture fold_of(const Prediction& prediction, const noise_level& level) noexcept {
  if constexpr (Model::gives_clean)
    return {0, 1};
  else
    return prediction.fold(level);
}

}  // namespace anodiff
