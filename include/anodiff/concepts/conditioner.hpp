// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/tensor.hpp>
#include <span>
#include <vector>

namespace anodiff {

/// What a run is bound to: the input whose rebuild is wanted. Masks, classes and frames join it as they are needed.
struct run_inputs {
  tensor_view<const float, 2> input;  ///< (n, d), preprocessed
};

namespace part {
template <class C>
concept binds_to_a_run = requires(const C c, const run_inputs& inputs) {
  c.bind(inputs);
};
template <class B>
concept rewrites_levels = requires(B b, std::vector<noise_level> levels) {
  { b.levels(levels) } -> std::same_as<std::vector<noise_level>>;
};
template <class B>
concept acts_after_a_step = requires(B b, tensor_view<float, 2> x, noise_level level) {
  b.after_step(x, level);
};
}  // namespace part

/// Steers a run. bind(inputs) gives an object that lives as long as the run: levels(list) may rewrite the levels,
/// after_step(x, level) may change the state once it has reached a level.
/// Law: rows do not see one another.
template <class C>
concept conditioner = policy<C> && part::binds_to_a_run<C> &&
    part::rewrites_levels<decltype(std::declval<const C&>().bind(std::declval<run_inputs>()))> &&
    part::acts_after_a_step<decltype(std::declval<const C&>().bind(std::declval<run_inputs>()))>;

/// Whether a conditioner acts at all; one that never does says so by `static constexpr bool steers = false`.
template <conditioner C>
inline constexpr bool steers = [] {
  if constexpr (requires { C::steers; })
    return static_cast<bool>(C::steers);
  else
    return true;
}();

}  // namespace anodiff
