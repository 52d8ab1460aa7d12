// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
#include <anodiff/concepts/sampler.hpp>
#include <anodiff/core/tensor.hpp>
#include <span>
#include <vector>

namespace anodiff {

/// What a run is bound to: the input whose rebuild is wanted. Classes and frames join it as they are needed.
struct run_inputs {
  tensor_view<const float, 2> input;  ///< (n, d), preprocessed; NaN where a value is missing and was left so
  std::uint64_t seed = 0;             ///< of the run's noise
  std::uint32_t draw = 0;             ///< the repeat's number
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
template <class B>
concept acts_before_the_run = requires(B b, tensor_view<float, 2> x, noise_level level) {
  b.enter(x, level);
};
template <class C>
concept rewrites_the_program = requires(const C c, std::vector<stage> stages, noise_level end) {
  { c.program(stages, end) } -> std::same_as<std::vector<stage>>;
};
}  // namespace part

/// Steers a run. bind(inputs) gives an object that lives as long as the run: levels(list) may rewrite the levels,
/// after_step(x, level) may change the state once it has reached a level. Where they are offered, enter(x, level) of
/// the object changes the state that the run starts with, and program(stages, end) of the policy the sampler's stages,
/// such as to take some again. One whose start fills in what is missing says so by `static constexpr bool fills_gaps =
/// true`. Law: rows do not see one another.
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

/// Whether a run may be given rows with missing values.
template <conditioner C>
inline constexpr bool fills_gaps = [] {
  if constexpr (requires { C::fills_gaps; })
    return static_cast<bool>(C::fills_gaps);
  else
    return false;
}();

}  // namespace anodiff
