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
};

namespace part {
template <class C, class Engine>
concept damages_a_batch = requires(const C c, Engine& engine, const corruption_batch<typename Engine::real>& b) {
  c.corrupt(engine, b);
};
}  // namespace part

/// How training samples are damaged: corrupt(engine, batch). Laws: a sample's damage depends on its draw, the key and
/// its level alone; at alpha = 1, sigma = 0 the Gaussian kinds change nothing.
template <class C, class Engine>
concept corruption_on = policy<C> && part::damages_a_batch<C, Engine>;

}  // namespace anodiff
