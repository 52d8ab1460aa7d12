// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>

namespace anodiff {

/// What a trainer learns from: training samples, then validation samples, each found by its place.
class sample_source {
 public:
  virtual ~sample_source() = default;
  [[nodiscard]] virtual index count() const = 0;     ///< of all samples
  [[nodiscard]] virtual index training() const = 0;  ///< of those that train
  [[nodiscard]] virtual index row_size() const = 0;  ///< values of a sample
  /// Writes the sample (row_size). One that changes from step to step draws on the key's seed and step and on its place
  /// alone; a validation sample is the same at every step.
  virtual void take(index place, const noise_key& key, std::span<float> out) const = 0;
};

/// The rows of a table as they are.
class row_source final : public sample_source {
 public:
  /// x (n, d), borrowed; the first `training` rows train.
  row_source(tensor_view<const float, 2> x, index training) noexcept : x_{x}, training_{training} {}
  [[nodiscard]] index count() const override { return x_.rows(); }
  [[nodiscard]] index training() const override { return training_; }
  [[nodiscard]] index row_size() const override { return x_.row_size(); }
  void take(index place, const noise_key&, std::span<float> out) const override {
    std::ranges::copy(x_.row(place), out.begin());
  }
  /// All rows, those that train first.
  [[nodiscard]] tensor_view<const float, 2> rows() const noexcept { return x_; }

 private:
  tensor_view<const float, 2> x_;
  index training_;
};

}  // namespace anodiff
