// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/simd.hpp>
#include <anodiff/core/tensor.hpp>
#include <anodiff/ops/conv2d_bytes.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>
#include <cmath>
#include <cstdint>

namespace anodiff::ops::cpu {

/// sums + Σ of the products of each lane's four bytes, a's unsigned, b's signed.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V add_byte_products(const V& sums, const V& a, const V& b) noexcept {
#if defined(__AVX512VNNI__) && defined(__clang__)
  return __builtin_ia32_vpdpbusd512(sums, a, b);
#elif defined(__AVX512VNNI__)
  return __builtin_ia32_vpdpbusd_v16si(sums, a, b);
#else
  V out = sums;
  unrolled<4>([&](auto i) { out += ((a >> (8 * i)) & 255) * ((b << (24 - 8 * i)) >> 24); });
  return out;
#endif
}

/// A matrix (k, n) of whole numbers in [−127, 127], each column with a step of its own, in panels for
/// add_byte_products: four rows of a column lie side by side. k is a multiple of 4.
class byte_matrix {
 public:
  static constexpr int lanes = simd::lanes<std::int32_t>;
  static constexpr index columns = 2 * lanes;  ///< of a panel

  byte_matrix() = default;
  byte_matrix(index k, index n)
      : k_{k},
        n_{n},
        data_(static_cast<std::size_t>(panels() * k * columns)),
        step_(static_cast<std::size_t>(panels() * columns)),
        sum_(step_.size()) {}
  [[nodiscard]] bool empty() const noexcept { return data_.empty(); }
  [[nodiscard]] index panels() const noexcept { return (n_ + columns - 1) / columns; }
  [[nodiscard]] const std::int8_t* panel(index p) const noexcept { return data_.data() + p * k_ * columns; }
  /// What 1 stands for in each column of a panel, and the column's sum.
  [[nodiscard]] const float* step(index p) const noexcept { return step_.data() + p * columns; }
  [[nodiscard]] const std::int32_t* sum(index p) const noexcept { return sum_.data() + p * columns; }
  [[nodiscard]] std::size_t bytes() const noexcept { return data_.size() + step_.size() * (sizeof(float) + 4); }

  /// Takes b (k, n), row-major; allocates nothing.
  void pack(const float* b) noexcept {
    for (index o = 0; o < n_; ++o) {
      float most = 0;
      for (index i = 0; i < k_; ++i) most = std::max(most, std::abs(b[i * n_ + o]));
      const float factor = byte_factor(most);
      std::int8_t* to = data_.data() + o / columns * k_ * columns + o % columns * 4;
      std::int32_t sum = 0;
      for (index i = 0; i < k_; ++i) {
        const auto q = static_cast<std::int8_t>(std::nearbyint(b[i * n_ + o] * factor));
        to[i / 4 * 4 * columns + i % 4] = q;
        sum += q;
      }
      step_[static_cast<std::size_t>(o)] = most / 127;
      sum_[static_cast<std::size_t>(o)] = sum;
    }
  }

 private:
  index k_ = 0, n_ = 0;
  aligned_vector<std::int8_t> data_;
  aligned_vector<float> step_;
  aligned_vector<std::int32_t> sum_;
};

}  // namespace anodiff::ops::cpu
