// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>

namespace anodiff {

/// A network output F as combination of clean sample and noise, and the clean estimate as combination of x_t and F.
struct mixture {
  double first = 0, second = 0;
};

namespace part {
template <class P>
concept states_target = requires(const P p, noise_level level) {
  { p.target(level) } -> std::same_as<mixture>;
};
template <class P>
concept folds_to_clean = requires(const P p, noise_level level) {
  { p.fold(level) } -> std::same_as<mixture>;
};
template <class P>
concept says_if_it_needs_signal = requires {
  { P::needs_signal } -> std::convertible_to<bool>;
};
template <class P>
concept states_input_scale = requires(const P p, noise_level level) {
  { p.input_scale(level) } -> std::same_as<double>;
};
}  // namespace part

/// What a network emits. target(level) = (a, b): F should equal a x_0 + b ε. fold(level) = (c, d): x̂_0 = c x_t + d F.
/// Law: folding the true target of any x_0, ε gives x_0 back wherever alpha > 0 or needs_signal is false.
template <class P>
concept prediction = policy<P> && part::states_target<P> && part::folds_to_clean<P> && part::says_if_it_needs_signal<P>;

/// What a learned variance is: a place v in [−1, 1] between the logarithms of the least and the most that it can be, or
/// the variance itself.
enum class variance_form { between, itself };

/// Whether the network also says, in a second half of its outputs, what variance a reverse step has; such a prediction
/// names the form by a static constant `variance`. The last extent of a sample of c channels is then 2 c in the output,
/// F first.
template <prediction P>
inline constexpr bool learns_variance = requires {
  { P::variance } -> std::convertible_to<variance_form>;
};

/// Whether the network sees x_t times input_scale(level) instead of x_t.
template <prediction P>
inline constexpr bool scales_input = part::states_input_scale<P>;

}  // namespace anodiff
