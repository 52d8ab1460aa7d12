// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/noise.hpp>

namespace anodiff::ops {

/// y = x / (1 − rate) where the element is kept, else 0. Srivastava et al. 2014. The element at position j of a row is
/// kept where its random word is at least rate 2^32, so that the same op on dy is the backward pass, and no mask is
/// stored.
template <class T>
struct dropout {
  const T* x;  ///< (rows, width)
  T* y;        ///< (rows, width); may be x
  index rows, width;
  double rate;              ///< [0, 1); 0 copies
  row_noise noise;          ///< first_element sets the layers of a network apart
  bool accumulate = false;  ///< adds to y
};

namespace reference {

template <class T>
void run(const dropout<T>& op) {
  const auto limit = static_cast<std::uint64_t>(op.rate * 0x1p32);
  const T scale = static_cast<T>(1 / (1 - op.rate));
  for (index i = 0; i < op.rows; ++i) {
    const noise_key key = op.noise.of(i);
    philox_words words{};
    for (index j = 0; j < op.width; ++j) {
      const auto element = static_cast<std::uint64_t>(op.noise.first_element + j);
      if (j == 0 || element % 4 == 0)
        words = philox4x32(
            {static_cast<std::uint32_t>(element / 4), key.draw, key.step, static_cast<std::uint32_t>(key.use)},
            key.seed);
      const index at = i * op.width + j;
      const T value = words[element % 4] >= limit ? op.x[at] * scale : T{0};
      op.y[at] = op.accumulate ? op.y[at] + value : value;
    }
  }
}

}  // namespace reference
}  // namespace anodiff::ops
