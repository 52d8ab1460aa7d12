// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/philox.hpp>
#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// Largest difference between a vectorised normal and random_normal: the float arithmetic of Box and Muller.
inline constexpr double normal_bound = 4e-6;

/// Which noise each row of a batch takes: the key's own draw for all rows (scoring: common random numbers), or one draw
/// a row (training: the sample's index in the data set).
struct row_noise {
  noise_key key;
  const std::uint32_t* draws = nullptr;  ///< (rows), or null for key.draw everywhere
  index first_element = 0;               ///< position of the row's first element in the whole sample
  /// Seed and draw as they stand when the operation runs, in the engine's memory, in place of key's, and a step to add
  /// to it: a recorded operation then serves every key. Null for key's own.
  const noise_key* when_run = nullptr;

  /// The key, draws aside.
  [[nodiscard]] constexpr noise_key common() const noexcept {
    noise_key k = key;
    if (when_run != nullptr) {
      k.seed = when_run->seed;
      k.draw = when_run->draw;
      k.step += when_run->step;
    }
    return k;
  }
  [[nodiscard]] constexpr noise_key of(index row) const noexcept {
    noise_key k = common();
    if (draws != nullptr) k.draw = draws[row];
    return k;
  }
};

/// out (rows, row_size) = standard normal noise.
template <class T>
struct fill_normal {
  T* out;
  index rows, row_size;
  row_noise noise{};
};

/// Forward noising and the training target in one pass over memory:
/// noised = alpha[l] x + sigma[l] eps, target = clean[l] x + epsilon[l] eps, with l = level[row].
template <class T>
struct corrupt_rows {
  const T* x;  ///< (rows, row_size)
  T* noised;   ///< (rows, row_size); may be x
  T* target;   ///< (rows, row_size), or null where no target is wanted
  index rows, row_size;
  const T *alpha, *sigma;     ///< (levels)
  const T *clean, *epsilon;   ///< (levels); read only with target
  const std::int32_t* level;  ///< (rows)
  row_noise noise{};
};

namespace reference {

template <class T>
void run(const fill_normal<T>& op) {
  for (index i = 0; i < op.rows; ++i)
    for (index j = 0; j < op.row_size; ++j)
      op.out[i * op.row_size + j] =
          static_cast<T>(random_normal(op.noise.of(i), static_cast<std::uint64_t>(op.noise.first_element + j)));
}

template <class T>
void run(const corrupt_rows<T>& op) {
  for (index i = 0; i < op.rows; ++i) {
    const auto l = op.level[i];
    for (index j = 0; j < op.row_size; ++j) {
      const auto e =
          static_cast<T>(random_normal(op.noise.of(i), static_cast<std::uint64_t>(op.noise.first_element + j)));
      const T x = op.x[i * op.row_size + j];
      if (op.target != nullptr) op.target[i * op.row_size + j] = op.clean[l] * x + op.epsilon[l] * e;
      op.noised[i * op.row_size + j] = op.alpha[l] * x + op.sigma[l] * e;
    }
  }
}

}  // namespace reference
}  // namespace anodiff::ops
