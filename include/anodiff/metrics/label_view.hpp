// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <span>

namespace anodiff::metrics {

/// Borrowed labels, int or unsigned char, read as int: 1 = anomaly, 0 = normal. Made implicitly from a span or a
/// vector.
class label_view {
 public:
  template <class Labels>
  requires std::convertible_to<const Labels&, std::span<const int>> label_view(const Labels& labels)
      : ints_{std::span<const int>(labels).data()}, size_{std::span<const int>(labels).size()} {}
  template <class Labels>
  requires std::convertible_to<const Labels&, std::span<const unsigned char>> label_view(const Labels& labels)
      : bytes_{std::span<const unsigned char>(labels).data()}, size_{std::span<const unsigned char>(labels).size()} {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] int operator[](std::size_t i) const noexcept { return ints_ != nullptr ? ints_[i] : bytes_[i]; }

 private:
  const int* ints_ = nullptr;
  const unsigned char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace anodiff::metrics
