// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
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

/// What a time estimator learns: it gives outputs() values a row; measure(engine, batch) writes each row's loss and the
/// gradient of their mean; read(output, slope) makes one number of a row's outputs, higher for noisier rows, and
/// its derivatives by them. Laws: the gradient and the slope match finite differences.
template <class O, class Engine>
concept time_objective_on = policy<O> && part::measures_times<O, Engine> && part::reads_times<O>;

}  // namespace anodiff
