// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
#include <cmath>
#include <span>

namespace anodiff {

/// One minibatch's outputs and what they should have been. All pointers are the engine's.
template <class T>
struct objective_batch {
  const T* output;            ///< F (rows, row_size)
  const T* target;            ///< (rows, row_size)
  const T* weight;            ///< (levels): from weigh()
  const std::int32_t* level;  ///< (rows)
  double* row_loss;           ///< (rows): written
  T* gradient;                ///< (rows, row_size): written, or null
  index rows, row_size;
  std::span<const index> groups{};  ///< as in model_shape
  index views = 1;                  ///< so many rows in turn are one sample, at other levels and with other noise
};

/// What the variational bound knows of a level of the schedule, all in logarithms where it says so.
struct bound_of_level {
  double off = 0;        ///< error of the reverse step's mean for an error of 1 of F
  double log_least = 0;  ///< of the reverse step's variance: β̃ of Ho et al.; at the cleanest level that of the next
  double log_most = 0;   ///< β of Ho et al.
  bool decodes = false;  ///< whether it is the cleanest level, from which the sample itself is told
};

/// Of level `place` of a schedule, cleanest first; clean_per_output is dx̂_0/dF there.
[[nodiscard]] inline bound_of_level bound_at(std::span<const noise_level> schedule, std::size_t place,
                                             double clean_per_output) noexcept {
  const bool decodes = place == 0;
  const reverse_law law = reverse(schedule[place], decodes ? clean_level : schedule[place - 1]);
  const double least = !decodes ? law.least : schedule.size() > 1 ? reverse(schedule[1], schedule[0]).least : law.most;
  return {law.of_clean * clean_per_output, std::log(least), std::log(law.most), decodes};
}

/// One minibatch's outputs of a network that also learns a variance. All pointers are the engine's; the last extent of
/// a sample has `channels` values, whose outputs are 2 channels: F, then v.
template <class T>
struct variance_batch {
  const T* output;              ///< (rows, row_size / channels, 2 channels)
  const T* target;              ///< of F (rows, row_size)
  const T* weight;              ///< (levels): from weigh()
  const bound_of_level* bound;  ///< (levels)
  index steps;                  ///< levels of the whole schedule
  const std::int32_t* level;    ///< (rows)
  double* row_loss;             ///< (rows): written
  T* gradient;                  ///< as output: written, or null
  index rows, row_size, channels;
};

/// One minibatch's outputs of a time estimator, and the noise there was. All pointers are the engine's.
template <class T>
struct time_batch {
  const T* output;            ///< (rows, outputs)
  const double* share;        ///< (levels): place in the schedule, [0, 1)
  const T* sigma;             ///< (levels): standard deviation of the noise
  const std::int32_t* level;  ///< (rows)
  double* row_loss;           ///< (rows): written
  T* gradient;                ///< (rows, outputs): written, or null
  index rows, outputs;
  index columns;  ///< of the noised row
};

namespace part {
template <class O>
concept weighs_levels = requires(const O o, noise_level level, double clean_per_output) {
  { o.weigh(level, clean_per_output) } -> std::same_as<double>;
};
template <class O, class Engine>
concept measures_a_batch = requires(const O o, Engine& engine, const objective_batch<typename Engine::real>& b) {
  o.measure(engine, b);
};
template <class O, class Engine>
concept measures_variances = requires(const O o, Engine& engine, const variance_batch<typename Engine::real>& b) {
  o.measure(engine, b);
};
template <class O>
concept wants_views = requires(const O o) {
  { o.views() } -> std::same_as<index>;
};
template <class O, class Engine>
concept measures_times = requires(const O o, Engine& engine, const time_batch<typename Engine::real>& b) {
  o.measure(engine, b);
};
template <class O>
concept reads_times = requires(const O o, std::span<const float> output, std::span<float> slope) {
  { o.read(output, slope) } -> std::same_as<double>;
  { o.outputs() } -> std::same_as<index>;
};
}  // namespace part

/// What training minimises. weigh(level, |dx̂_0/dF|) is each level's weight; measure(engine, batch) writes each row's
/// loss and the gradient of their mean. Laws: zero loss and gradient where output equals target; the gradient matches
/// finite differences.
template <class O, class Engine>
concept objective_on = policy<O> && part::weighs_levels<O> && part::measures_a_batch<O, Engine>;

/// How often an objective wants each sample in a training batch, one that says so by a member `views()`. Elsewhere, as
/// where training is measured, a batch has each sample once.
template <class O>
[[nodiscard]] index views_wanted(const O& objective) noexcept {
  if constexpr (part::wants_views<O>)
    return objective.views();
  else
    return 1;
}

/// What training minimises where the prediction learns a variance as a share of what it can be. Law: the gradient
/// matches finite differences of what each output is meant to move.
template <class O, class Engine>
concept variance_objective_on = policy<O> && part::weighs_levels<O> && part::measures_variances<O, Engine>;

/// What a time estimator learns: it gives outputs() values a row; measure(engine, batch) writes each row's loss and the
/// gradient of their mean; read(output, slope) makes one number of a row's outputs, higher for noisier rows, and
/// its derivatives by them. Laws: the gradient and the slope match finite differences.
template <class O, class Engine>
concept time_objective_on = policy<O> && part::measures_times<O, Engine> && part::reads_times<O>;

}  // namespace anodiff
