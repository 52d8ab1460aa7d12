// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
#include <array>
#include <span>
#include <vector>

namespace anodiff {

/// One call of the network and the update after it. With x the state, clean the clean estimate at `at`, past[0] what
/// the stage before kept, past[1] what the one before that kept, and z fresh noise:
///   next = x_weight x + saved_weight saved + clean_weight clean + Σ past_weight[k] past[k] + noise_weight z.
/// The weight of z is noise_weight, or, where noise_most is not 0, what the network says of each element, between
/// noise_weight and noise_most: see concepts/prediction.hpp.
/// A stage keeps keep_x x + keep_clean clean for later stages: the clean estimate, unless the solver is one for the
/// noise. Where both are 0 it keeps nothing, and the past stays as it was.
struct stage {
  static constexpr std::size_t past_slots = 3;  ///< kept values in reach

  noise_level at;  ///< the level of x, at which the network is called
  double x_weight = 0, saved_weight = 0, clean_weight = 0, noise_weight = 0, noise_most = 0;
  std::array<double, past_slots> past_weight{};
  double keep_x = 0, keep_clean = 1;
  bool save_x = false;  ///< x is copied to the saved slot before the update

  [[nodiscard]] bool keeps() const noexcept { return keep_x != 0 || keep_clean != 0; }
  [[nodiscard]] bool operator==(const stage&) const = default;
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
/// A sampler that cannot step to sigma = 0 says so by a member `ends_with_noise()`; one that cannot start at alpha = 0,
/// for all its params, by a static constant `needs_signal`. One that can draw with a variance that the network has
/// learned says so by `takes_variance`.
template <class S>
concept sampler = policy<S> && part::writes_a_program<S> && part::says_if_deterministic<S>;

/// A step of two orders between levels: low = of_x x + of_clean clean, and high = low + of_change (clean' − clean),
/// with clean' the estimate at low.
struct embedded_step {
  double of_x = 0, of_clean = 0, of_change = 0;
};

/// A sampler that finds its steps as it goes, each row for itself: step(from, to) is the pair of steps between two
/// levels; allowed(size) the error that an element may make; stretch(error) how much longer the next step is where this
/// one made that many times what it may; first() the share of the levels that the first step passes.
/// Law: on the Gaussian oracle the error follows the tolerance.
template <class S>
concept adaptive_sampler = policy<S> && requires(const S s, noise_level level, double number) {
  { s.step(level, level) } -> std::same_as<embedded_step>;
  { s.allowed(number) } -> std::same_as<double>;
  { s.stretch(number) } -> std::same_as<double>;
  { s.first() } -> std::same_as<double>;
};

/// Whether the run of a sampler must end before sigma = 0, as its params are.
template <class S>
[[nodiscard]] bool ends_with_noise(const S& s) noexcept {
  if constexpr (requires { s.ends_with_noise(); })
    return s.ends_with_noise();
  else
    return false;
}

/// Whether a sampler cannot start from pure noise.
template <class S>
inline constexpr bool needs_signal_at_start = [] {
  if constexpr (requires { S::needs_signal; })
    return static_cast<bool>(S::needs_signal);
  else
    return false;
}();

/// Whether a sampler can draw noise of a variance that the network has learned.
template <class S>
inline constexpr bool takes_learned_variance = [] {
  if constexpr (requires { S::takes_variance; })
    return static_cast<bool>(S::takes_variance);
  else
    return false;
}();

namespace detail {

inline void check_run(std::string_view who, std::span<const noise_level> levels) {
  check(levels.size() >= 2, who, ": a run needs at least two levels, got ", levels.size());
  for (std::size_t i = 0; i + 1 < levels.size(); ++i)
    check(levels[i + 1].sigma * levels[i].alpha < levels[i].sigma * levels[i + 1].alpha, who,
          ": levels must get strictly cleaner, but level ", i + 1, " (alpha ", levels[i + 1].alpha, ", sigma ",
          levels[i + 1].sigma, ") does not follow (alpha ", levels[i].alpha, ", sigma ", levels[i].sigma, ")");
}

/// A step on the clean estimate alone, x' = alpha' clean + (sigma' / sigma) (x − alpha clean): DDIM's, exact where the
/// estimate does not change. Written without alpha' / alpha, which may be infinite.
[[nodiscard]] inline stage first_order(const noise_level& from, const noise_level& to) noexcept {
  stage s{.at = from};
  s.x_weight = to.sigma / from.sigma;
  s.clean_weight = to.alpha - s.x_weight * from.alpha;
  return s;
}

}  // namespace detail
}  // namespace anodiff
