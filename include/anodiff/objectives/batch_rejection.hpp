// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/objectives/squared_error.hpp>
#include <numeric>
#include <vector>

namespace anodiff::objectives {

struct batch_rejection_params {
  double rejected = 0.1;  ///< share of a batch's rows at each level that is left out, rounded down; [0, 1)
  loss_weighting weighting = loss_weighting::uniform;
  double gamma = 5;  ///< cap of min_snr; above 0

  static constexpr void fields(auto& self, auto&& field) {
    field("rejected", self.rejected);
    field("weighting", self.weighting);
    field("gamma", self.gamma);
  }
};

/// Squared error without the rows whose loss is the largest, for training rows that hold anomalies: what the network
/// has not come to expect gives no gradient. Zamberg et al. 2023 (TabADM), arXiv:2307.12336. Rows are compared with
/// those at the same level, for the loss of one row falls by orders of magnitude as the noise grows: a batch should
/// have few levels. A kept row's loss is scaled by n / kept, so that the mean over n rows is that over the kept ones.
class batch_rejection {
 public:
  using params = batch_rejection_params;
  static constexpr std::string_view name = "batch_rejection";

  explicit batch_rejection(params p = {})
      : params_{p},
        error_{(check_share(p.rejected), squared_error_params{.weighting = p.weighting, .gamma = p.gamma})} {}
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  [[nodiscard]] double weigh(noise_level level, double clean_per_output) const noexcept {
    return error_.weigh(level, clean_per_output);
  }
  template <class Engine>
  void measure(Engine& engine, const objective_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    error_.measure(engine, b);
    thread_local std::vector<index> order;  // a step allocates nothing once it has grown
    order.resize(static_cast<std::size_t>(b.rows));
    std::iota(order.begin(), order.end(), index{0});
    std::sort(order.begin(), order.end(), [&](index i, index j) {
      if (b.level[i] != b.level[j]) return b.level[i] < b.level[j];
      return b.row_loss[i] != b.row_loss[j] ? b.row_loss[i] > b.row_loss[j] : i < j;
    });
    index kept = b.rows;
    for (std::size_t first = 0; first < order.size();) {
      std::size_t end = first;
      while (end < order.size() && b.level[order[end]] == b.level[order[first]]) ++end;
      const std::size_t out = share_of(end - first);
      for (std::size_t r = first; r < first + out; ++r) reject(b, order[r]);
      kept -= static_cast<index>(out);
      first = end;
    }
    const double factor = static_cast<double>(b.rows) / static_cast<double>(kept);
    for (index i = 0; i < b.rows; ++i) b.row_loss[i] *= factor;
    if (b.gradient != nullptr)
      for (index e = 0; e < b.rows * b.row_size; ++e) b.gradient[e] *= static_cast<real>(factor);
  }

 private:
  static void check_share(double rejected) {
    check(rejected >= 0 && rejected < 1, "objectives::batch_rejection: rejected must lie in [0, 1), got ", rejected);
  }
  [[nodiscard]] std::size_t share_of(std::size_t rows) const noexcept {
    return static_cast<std::size_t>(params_.rejected * static_cast<double>(rows) * (1 + 1e-12));
  }
  template <class T>
  static void reject(const objective_batch<T>& b, index row) noexcept {
    b.row_loss[row] = 0;
    if (b.gradient != nullptr) std::fill_n(b.gradient + row * b.row_size, b.row_size, T{0});
  }

  params params_;
  squared_error error_;
};

}  // namespace anodiff::objectives
