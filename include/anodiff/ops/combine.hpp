// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/noise.hpp>
#include <array>

namespace anodiff::ops {

/// Past clean estimates that one update can read.
inline constexpr int past_slots = 3;

/// Relative error of the float update against double arithmetic, noise aside.
inline constexpr double combine_bound = 1e-6;

/// The clean estimate from the state and what the network gave: clean = state * x + output * F, clipped to [-limit,
/// limit] where limit > 0.
template <class T>
struct fold_weights {
  T state = 0, output = 1;
  T limit = 0;
};

/// One fused update of the sampling loop over (rows, row_size), in one pass over memory:
///   clean = fold(x, F);  next = wx x + ws saved + wc clean + Σ_k wp[k] past[k] + wz z.
/// A term of weight zero is left out: its pointer may be null, and no 0 * infinity arises. next may be x.
template <class T>
struct combine {
  const T* x;
  const T* output;  ///< F, what the network gave
  const T* saved = nullptr;
  std::array<const T*, past_slots> past{};
  T* clean = nullptr;  ///< receives the clean estimate where a later step or a scorer reads it
  T* next;             ///< null where only the clean estimate is wanted
  index rows, row_size;
  fold_weights<T> fold{};
  T wx = 0, ws = 0, wc = 0, wz = 0;
  std::array<T, past_slots> wp{};
  row_noise noise{};
};

namespace reference {

template <class T>
void run(const combine<T>& op) {
  for (index i = 0; i < op.rows; ++i)
    for (index j = 0; j < op.row_size; ++j) {
      const index at = i * op.row_size + j;
      const auto term = [&](T weight, const T* from) { return weight != 0 ? weight * from[at] : T{0}; };
      T clean = term(op.fold.state, op.x) + term(op.fold.output, op.output);
      if (op.fold.limit > 0)
        clean = clean > op.fold.limit ? op.fold.limit : clean < -op.fold.limit ? -op.fold.limit : clean;
      T next = term(op.wx, op.x) + (op.wc != 0 ? op.wc * clean : T{0}) + term(op.ws, op.saved);
      for (std::size_t k = 0; k < past_slots; ++k) next += term(op.wp[k], op.past[k]);
      if (op.wz != 0)
        next += op.wz *
                static_cast<T>(random_normal(op.noise.of(i), static_cast<std::uint64_t>(op.noise.first_element + j)));
      if (op.clean != nullptr) op.clean[at] = clean;
      if (op.next != nullptr) op.next[at] = next;
    }
}

}  // namespace reference
}  // namespace anodiff::ops
