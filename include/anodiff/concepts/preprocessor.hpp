// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/tensor.hpp>
#include <span>
#include <vector>

namespace anodiff {

namespace part {
template <class P>
concept learns_from_rows = requires(const P p, tensor_view<const double, 2> x) {
  typename P::fitted;
  p.fit(x);
};
template <class F>
concept maps_a_row = requires(const F f, std::span<const double> in, std::span<float> out) {
  f.apply(in, out);
};
template <class F>
concept maps_back = requires(const F f, index column, float z) {
  { f.invert(column, z) } -> std::same_as<double>;
};
}  // namespace part

/// Brings raw values to the scale on which a model learns; fitted on training data alone.
/// fit(x) gives a `fitted`: apply(raw row, out), invert(column, z), and offset / scale of each column for storage.
/// Law: invert(apply(x)) = x to float accuracy.
template <class P>
concept preprocessor = policy<P> && part::learns_from_rows<P> && part::maps_a_row<typename P::fitted> &&
    part::maps_back<typename P::fitted>;

}  // namespace anodiff
