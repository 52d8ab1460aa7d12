// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

namespace anodiff {

/// IEEE 754 binary16 to float, exact for every value, subnormals, infinities and NaN included.
[[nodiscard]] inline float float_from_half(std::uint16_t bits) noexcept {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t rest = bits & 0x7fffu;
  if (rest >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
  const float scaled = std::bit_cast<float>(rest << 13) * 0x1p112f;  // moves the exponent bias from 15 to 127
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(scaled));
}

/// The nearest IEEE 754 binary16, ties to even; infinity from 65520 on; any NaN becomes the quiet one.
[[nodiscard]] inline std::uint16_t half_from_float(float x) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  std::uint32_t rest = bits & 0x7fffffffu;
  if (rest >= 0x47800000u)  // 65536
    rest = rest > 0x7f800000u ? 0x7e00u : 0x7c00u;
  else if (rest < 0x38800000u)  // below the smallest normal: the sum with one half rounds at the last subnormal bit
    rest = std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest) + 0.5f) - 0x3f000000u;
  else
    rest = (rest + 0xc8000fffu + (rest >> 13 & 1u)) >> 13;
  return static_cast<std::uint16_t>(sign | rest);
}

}  // namespace anodiff
