// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/shape.hpp>
#include <cmath>

// Categories in a row: a group of values that are the indicators of one category's classes, or their logits.
namespace anodiff::ops {

/// Where a group's random numbers lie: behind those of the row's elements, in blocks of their own. first is the group's
/// first element.
[[nodiscard]] constexpr std::uint64_t class_element(index row_size, index first) noexcept {
  return static_cast<std::uint64_t>((row_size + 3) / 4 * 4 + first);
}

/// The class that a group's indicators hold: the place of the largest.
template <class T>
[[nodiscard]] index held_class(const T* group, index size) noexcept {
  return static_cast<index>(std::max_element(group, group + size) - group);
}

/// The share ᾱ with which a class is kept at a level: alpha² / (alpha² + sigma²).
[[nodiscard]] constexpr double kept_share(double alpha, double sigma) noexcept {
  return alpha * alpha / (alpha * alpha + sigma * sigma);
}

/// The class at a level that keeps one with the share `kept`, and else draws it evenly from all `size`.
[[nodiscard]] inline index diffused_class(index held, index size, double kept, const noise_key& key,
                                          std::uint64_t element) noexcept {
  const double u = random_uniform(key, element);
  if (u < kept) return held;
  return std::min(size - 1, static_cast<index>((u - kept) / (1 - kept) * static_cast<double>(size)));
}

/// −log of the class held under the soft-max of the logits; slope receives its derivatives by them times factor, unless
/// null.
template <class T>
[[nodiscard]] double class_surprise(const T* logits, index held, index size, T* slope = nullptr,
                                    double factor = 1) noexcept {
  const auto most = static_cast<double>(*std::max_element(logits, logits + size));
  double sum = 0;
  for (index k = 0; k < size; ++k) sum += std::exp(static_cast<double>(logits[k]) - most);
  if (slope != nullptr)
    for (index k = 0; k < size; ++k)
      slope[k] = static_cast<T>(factor * (std::exp(static_cast<double>(logits[k]) - most) / sum - (k == held ? 1 : 0)));
  return most + std::log(sum) - static_cast<double>(logits[held]);
}

}  // namespace anodiff::ops
