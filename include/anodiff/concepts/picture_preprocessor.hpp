// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/tensor.hpp>

namespace anodiff {

namespace part {
template <class P>
concept says_it_prepares_pictures = requires {
  { P::prepares_pictures } -> std::convertible_to<bool>;
};
template <class P, class Engine>
concept maps_a_picture = requires(const P p, const Engine& machine, tensor_view<const float, 3> in,
                                  tensor_view<float, 3> out, index scale) {
  p.apply(machine, in, out, scale);
};
}  // namespace part

/// Brings a picture (height, width, channels) with values in [0, 1] to the scale on which a model learns; it learns
/// nothing itself. prepares_pictures is true. apply(machine, in, out, scale) is told how many steps coarser than the
/// finest a picture's scale is. Law: a picture's result depends on that picture alone.
template <class P>
concept picture_preprocessor = policy<P> && part::says_it_prepares_pictures<P>;
template <class P, class Engine>
concept picture_preprocessor_on = picture_preprocessor<P> && part::maps_a_picture<P, Engine>;

}  // namespace anodiff
