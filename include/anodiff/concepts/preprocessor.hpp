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
template <class F>
concept counts_its_outputs = requires(const F f) {
  { f.outputs() } -> std::same_as<index>;
};
template <class F>
concept names_their_columns = !counts_its_outputs<F> || requires(const F f, index output) {
  { f.origin(output) } -> std::same_as<index>;
};
template <class P>
concept takes_categories = requires(const P p, tensor_view<const double, 2> x, std::span<const index> categories) {
  { p.fit(x, categories) } -> std::same_as<typename P::fitted>;
  { p.outputs(categories) } -> std::same_as<index>;
};
template <class P>
concept groups_its_outputs = requires(const typename P::fitted f) {
  { f.groups() } -> std::same_as<std::vector<index>>;
};
}  // namespace part

/// Brings raw values to the scale on which a model learns; fitted on training data alone.
/// fit(x) gives a `fitted`: apply(raw row, out), invert(column, z), and offset / scale of each column for storage.
/// One with outputs() gives so many values for a row, each column one at least; origin(output) is the column that an
/// output comes from, to which its evidence is added, and invert takes an output. Without it each column has one
/// output. One that fits x with the number of categories of each column (0 = numeric) takes codes for values; one whose
/// handles_missing is true takes NaN for a missing value, and one whose leaves_gaps is true gives NaN for it.
/// One whose categories become indicators of 0 and 1, one of which is 1, gives their groups(): see model_shape.
/// Law: invert(apply(x)) = x to float accuracy.
template <class P>
concept preprocessor = policy<P> && part::learns_from_rows<P> && part::maps_a_row<typename P::fitted> &&
    part::maps_back<typename P::fitted> && part::names_their_columns<typename P::fitted>;

/// True where a row may have more values once it is preprocessed.
template <class P>
inline constexpr bool widens = part::counts_its_outputs<typename P::fitted>;

/// True where NaN is taken for a missing value.
template <class P>
inline constexpr bool handles_missing = [] {
  if constexpr (requires { P::handles_missing; }) return P::handles_missing;
  return false;
}();

/// True where what is missing is still missing once a row is preprocessed.
template <class P>
inline constexpr bool leaves_gaps = [] {
  if constexpr (requires { P::leaves_gaps; }) return P::leaves_gaps;
  return false;
}();

}  // namespace anodiff
