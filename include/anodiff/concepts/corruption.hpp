// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/noise_level.hpp>
#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>

namespace anodiff {

/// A minibatch on its way to the network. All pointers are the engine's; row i is damaged as level[i] says.
template <class T>
struct corruption_batch {
  const T* x;  ///< (rows, row_size): clean
  T* damaged;  ///< (rows, row_size): what the network will see
  T* target;   ///< (rows, row_size): what it should give
  index rows, row_size;
  const T *alpha, *sigma;     ///< (levels)
  const T *clean, *noise;     ///< (levels): the prediction's target as a mixture of clean sample and noise
  const std::int32_t* level;  ///< (rows)
  noise_key key;
  const std::uint32_t* draws;       ///< (rows): each sample's place in the data set
  std::span<const index> sample{};  ///< extents of a sample, (height, width, channels) of a picture; product row_size
  std::span<const index> groups{};  ///< as in model_shape
  const noise_key* when_run = nullptr;  ///< see ops::row_noise
};

/// Rows that want noise.
template <class T>
struct noise_batch {
  T* out;  ///< (rows, row_size)
  index rows, row_size;
  noise_key key;
  const std::uint32_t* draws = nullptr;  ///< (rows), or null for key.draw everywhere
  std::span<const index> sample{};       ///< as in corruption_batch
};

namespace part {
template <class C, class Engine>
concept damages_a_batch = requires(const C c, Engine& engine, const corruption_batch<typename Engine::real>& b) {
  c.corrupt(engine, b);
};
template <class C, class Engine>
concept has_noise_of_its_own = requires(const C c, Engine& engine, const noise_batch<typename Engine::real>& b) {
  c.noise(engine, b);
};
template <class C, class Engine>
concept narrows_the_loss = requires(const C c, Engine& engine, const corruption_batch<typename Engine::real>& b,
                                    const typename Engine::real* output) {
  c.narrow(engine, b, output);
};
}  // namespace part

/// How training samples are damaged: corrupt(engine, batch). A corruption whose noise is not Gaussian offers
/// noise(engine, noise_batch), of mean 0 and variance 1 at each element, with which noised starts of a reconstruction
/// are made too. One whose loss counts in a part of the sample offers narrow(engine, batch, output): it sets the
/// batch's target to the network's output elsewhere. Laws: a sample's damage depends on its draw, the key and its level
/// alone; at alpha = 1, sigma = 0 the Gaussian kinds change nothing.
template <class C, class Engine>
concept corruption_on = policy<C> && part::damages_a_batch<C, Engine>;

/// Whether a corruption takes rows with missing values (NaN), where no loss may count.
template <class C>
inline constexpr bool takes_gaps = [] {
  if constexpr (requires { C::takes_gaps; }) return C::takes_gaps;
  return false;
}();

/// Whether a corruption damages categories as such, and so needs rows whose indicators are 0 and 1.
template <class C>
inline constexpr bool damages_classes = [] {
  if constexpr (requires { C::damages_classes; }) return C::damages_classes;
  return false;
}();

}  // namespace anodiff
