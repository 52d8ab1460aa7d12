// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/check.hpp>
#include <anodiff/core/tensor.hpp>
#include <anodiff/metrics/normal_quantile.hpp>
#include <cmath>

namespace anodiff::preprocessing {

/// Pulls in the tails of heavy-tailed columns and leaves the others alone: a standardised column becomes
/// (1 − w) z + w g(z), where w = clip((κ − 3) / 3, 0, 1) with κ the mean of z⁴, and g maps the column's values to the
/// normal quantiles of their ranks (mid-ranks for ties), linear in between, of slope 1 beyond the ends, shifted and
/// scaled to the mean and deviation of z.
class tail_taming {
 public:
  tail_taming() = default;
  /// Learns from standardised rows z (n, d), n at least 1.
  explicit tail_taming(tensor_view<const float, 2> z) : columns_(static_cast<std::size_t>(z.row_size())) {
    const auto n = static_cast<double>(z.rows());
    std::vector<float> values(static_cast<std::size_t>(z.rows()));
    for (index j = 0; j < z.row_size(); ++j) {
      double fourth = 0;
      for (index i = 0; i < z.rows(); ++i) {
        values[static_cast<std::size_t>(i)] = z(i, j);
        fourth += std::pow(static_cast<double>(z(i, j)), 4) / n;
      }
      column& c = columns_[static_cast<std::size_t>(j)];
      c.weight = std::clamp((fourth - 3) / 3, 0.0, 1.0);
      std::ranges::sort(values);
      if (values.front() == values.back()) c.weight = 0;
      c.weight = static_cast<double>(static_cast<float>(c.weight));  // as a file can hold it
      if (c.weight > 0) rank(values, c);
    }
  }

  /// Whether column j is not left alone.
  [[nodiscard]] bool changes(index j) const noexcept { return columns_[static_cast<std::size_t>(j)].weight != 0; }
  /// The value of column j for a standardised value.
  [[nodiscard]] float operator()(index j, float z) const noexcept {
    const column& c = columns_[static_cast<std::size_t>(j)];
    if (c.weight == 0) return z;
    const auto v = static_cast<double>(z);
    return static_cast<float>((1 - c.weight) * v + c.weight * c.mapped(v));
  }

  [[nodiscard]] index columns() const noexcept { return static_cast<index>(columns_.size()); }
  /// (d, 1 + 2 K): weight, then K values and K images of each column; columns with fewer repeat their last.
  [[nodiscard]] tensor<float, 2> stored() const {
    std::size_t most = 1;
    for (const column& c : columns_) most = std::max(most, c.value.size());
    tensor<float, 2> out{{static_cast<index>(columns_.size()), static_cast<index>(1 + 2 * most)}};
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      const column& c = columns_[j];
      const auto row = out.row(static_cast<index>(j));
      row[0] = static_cast<float>(c.weight);
      for (std::size_t k = 0; k < most && !c.value.empty(); ++k) {
        const std::size_t at = std::min(k, c.value.size() - 1);
        row[1 + k] = static_cast<float>(c.value[at]);
        row[1 + most + k] = static_cast<float>(c.image[at]);
      }
    }
    return out;
  }
  /// Throws data_error for what stored() cannot have written.
  [[nodiscard]] static tail_taming restored(tensor_view<const float, 2> from) {
    check<data_error>(from.row_size() >= 3 && from.row_size() % 2 == 1,
                      "preprocessing::tail_taming: needs an odd number "
                      "of values a column, at least 3, got ",
                      from.row_size());
    const auto most = static_cast<std::size_t>(from.row_size() / 2);
    tail_taming out;
    for (index j = 0; j < from.rows(); ++j) {
      const auto row = from.row(j);
      column c;
      c.weight = static_cast<double>(row[0]);
      check<data_error>(c.weight >= 0 && c.weight <= 1, "preprocessing::tail_taming: the weight of column ", j,
                        " must lie in [0, 1], got ", c.weight);
      if (c.weight > 0)
        for (std::size_t k = 0; k < most; ++k) {
          const auto value = static_cast<double>(row[1 + k]), image = static_cast<double>(row[1 + most + k]);
          if (!c.value.empty() && value == c.value.back()) continue;
          check<data_error>(std::isfinite(value) && std::isfinite(image) &&
                                (c.value.empty() || (value > c.value.back() && image > c.image.back())),
                            "preprocessing::tail_taming: the values of column ", j, " must be finite and rise");
          c.value.push_back(value);
          c.image.push_back(image);
        }
      out.columns_.push_back(std::move(c));
    }
    return out;
  }

 private:
  struct column {
    double weight = 0;
    std::vector<double> value, image;  // both rise

    [[nodiscard]] double mapped(double v) const noexcept {
      if (v <= value.front()) return image.front() + (v - value.front());
      if (v >= value.back()) return image.back() + (v - value.back());
      std::size_t before = 0;  // of the last value that does not exceed v; halved without a branch to mispredict
      for (std::size_t left = value.size(); left > 1; left -= left / 2)
        before += value[before + left / 2] <= v ? left / 2 : 0;
      const std::size_t after = before + 1;
      const double share = (v - value[after - 1]) / (value[after] - value[after - 1]);
      return image[after - 1] + share * (image[after] - image[after - 1]);
    }
  };
  static void rank(std::span<const float> sorted, column& c) {
    const auto n = static_cast<double>(sorted.size());
    double mean = 0, square = 0;
    std::vector<double> count;
    for (std::size_t first = 0, last = 0; first < sorted.size(); first = last) {
      while (last < sorted.size() && sorted[last] == sorted[first]) ++last;
      const double middle = (static_cast<double>(first) + static_cast<double>(last)) / 2;
      c.value.push_back(static_cast<double>(sorted[first]));
      c.image.push_back(metrics::normal_quantile((middle + 0.5) / (n + 1)));
      count.push_back(static_cast<double>(last - first));
      mean += count.back() * c.image.back() / n;
    }
    for (std::size_t k = 0; k < count.size(); ++k) square += count[k] * std::pow(c.image[k] - mean, 2) / n;
    const double scale = square > 0 ? std::sqrt(square) : 1;
    for (double& q : c.image) q = static_cast<double>(static_cast<float>((q - mean) / scale));  // as a file can hold it
  }

  std::vector<column> columns_;
};

}  // namespace anodiff::preprocessing
