// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/linear.hpp>

namespace anodiff::nn {

/// The embedding of a level's time: features are an input of the tape, filled through ops::time_features; two dense
/// layers with SiLU between give a vector of `width` a level. Nichol & Dhariwal 2021, arXiv:2102.09672, appendix A.
template <engine Engine>
value time_embedding(tape<Engine>& t, std::string_view name, value features, index width) {
  const value hidden = linear(t, concat(name, ".0"), features, width, {.activation = ops::activation::silu});
  return linear(t, concat(name, ".2"), hidden, width);
}

}  // namespace anodiff::nn
