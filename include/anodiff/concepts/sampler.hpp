// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
#include <array>
#include <span>
#include <vector>

namespace anodiff {

/// One call of the network and the update after it. With x the state, clean the clean estimate at `at`, past[0] the
/// clean estimate of the stage before, and z fresh noise:
///   next = x_weight x + saved_weight saved + clean_weight clean + Σ past_weight[k] past[k] + noise_weight z.
struct stage {
  static constexpr std::size_t past_slots = 3;  ///< earlier clean estimates in reach

  noise_level at;  ///< the level of x, at which the network is called
  double x_weight = 0, saved_weight = 0, clean_weight = 0, noise_weight = 0;
  std::array<double, past_slots> past_weight{};
  bool save_x = false;  ///< x is copied to the saved slot before the update
};

namespace part {
template <class S>
concept writes_a_program = requires(const S s, std::span<const noise_level> levels) {
  { s.program(levels) } -> std::same_as<std::vector<stage>>;
};
template <class S>
concept says_if_deterministic = requires(const S s) {
  { s.deterministic() } -> std::same_as<bool>;
};
}  // namespace part

/// Turns the levels of a run (noisiest first, the last one being where it ends, often clean_level) into the stages of
/// the whole run. All weights are known before the loop starts: a sampler is data, and needs no kernel of its own.
/// Laws (tests/laws/sampler_laws.hpp): on the Gaussian oracle a deterministic sampler converges at its stated order; a
/// run to clean_level ends in the last clean estimate; weights are finite.
/// Throws invalid_argument for fewer than two levels, or levels that do not get strictly cleaner.
template <class S>
concept sampler = policy<S> && part::writes_a_program<S> && part::says_if_deterministic<S>;

namespace detail {

inline void check_run(std::string_view who, std::span<const noise_level> levels) {
  check(levels.size() >= 2, who, ": a run needs at least two levels, got ", levels.size());
  for (std::size_t i = 0; i + 1 < levels.size(); ++i)
    check(levels[i + 1].sigma * levels[i].alpha < levels[i].sigma * levels[i + 1].alpha, who,
          ": levels must get strictly cleaner, but level ", i + 1, " (alpha ", levels[i + 1].alpha, ", sigma ",
          levels[i + 1].sigma, ") does not follow (alpha ", levels[i].alpha, ", sigma ", levels[i].sigma, ")");
}

}  // namespace detail
}  // namespace anodiff
