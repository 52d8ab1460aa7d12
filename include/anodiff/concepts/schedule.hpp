// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
#include <vector>

namespace anodiff {

namespace part {
template <class S>
concept lists_levels = requires(const S s) {
  { s.levels() } -> std::same_as<std::vector<noise_level>>;
};
template <class S>
concept says_if_variance_preserving = requires {
  { S::variance_preserving } -> std::convertible_to<bool>;
};
template <class S>
concept says_if_it_ends_in_pure_noise = requires {
  { S::ends_in_pure_noise } -> std::convertible_to<bool>;
};
}  // namespace part

/// The levels on which a model is trained, least noisy first; evaluated on the host, once, before any loop.
/// Laws (tests/laws/schedule_laws.hpp): at least one level; all finite; sigma > 0; sigma / alpha rises strictly;
/// time is 0, 1, 2, …; if variance_preserving, alpha² + sigma² = 1 to 4 ulp; alpha of the last level is 0 exactly if
/// ends_in_pure_noise.
template <class S>
concept schedule = policy<S> && part::lists_levels<S> && part::says_if_variance_preserving<S> &&
    part::says_if_it_ends_in_pure_noise<S>;

}  // namespace anodiff
