// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/ops/local_gaussian.hpp>

namespace anodiff::scorers {

struct local_gaussian_params {
  index neighbours = 15;   ///< at most a third of the remembered rows; [1, 64]
  double shrinkage = 0.5;  ///< of the local covariance towards a sphere; in (0, 1)

  static constexpr void fields(auto& self, auto&& field) {
    field("neighbours", self.neighbours);
    field("shrinkage", self.shrinkage);
  }
};

/// Twice the negative log density of a row, but for a constant, under a Gaussian around its nearest training rows: the
/// zero-noise score of a diffusion model whose data is locally one cloud (manifold Parzen windows, Vincent & Bengio
/// 2002, taken at the query instead of at each row). A column's evidence is its share of the Mahalanobis distance, and
/// an equal part of the log-determinant, so that pooling by the mean gives the value. See ops::local_gaussian.
class local_gaussian {
 public:
  using params = local_gaussian_params;
  static constexpr std::string_view name = "local_gaussian";

  explicit local_gaussian(params p = {}) : params_{p} {
    check(p.neighbours >= 1 && p.neighbours <= ops::local_gaussian_most,
          "scorers::local_gaussian: neighbours must lie "
          "in [1, ",
          ops::local_gaussian_most, "], got ", p.neighbours);
    check(p.shrinkage > 0 && p.shrinkage < 1, "scorers::local_gaussian: shrinkage must lie in (0, 1), got ",
          p.shrinkage);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Model>
  class run {
   public:
    run(const Model& model, index max_rows, const params& p)
        : model_{model},
          k_{std::clamp<index>(model.rows().rows() / 3, 1, p.neighbours)},
          shrinkage_{p.shrinkage},
          scaled_{{max_rows, model.rows().row_size()}},
          share_{scaled_.extents()},
          value_(static_cast<std::size_t>(max_rows)),
          distance_(static_cast<std::size_t>(max_rows * k_)),
          place_(distance_.size()),
          scratch_(static_cast<std::size_t>((max_rows + ops::local_gaussian_block - 1) / ops::local_gaussian_block *
                                            (k_ + 2) * scaled_.row_size())) {}
    [[nodiscard]] index views() const noexcept { return 1; }
    /// Fills values() and shares() for rows x; self (n) names the remembered row that each is, or is empty.
    void measure(tensor_view<const float, 2> x, std::span<const index> self) {
      const auto scaled = const_view(scaled_).slice(0, x.rows());
      model_.scale(x, scaled_.data());
      model_.neighbours(scaled, k_, self, distance_.data(), place_.data());
      model_.engine().run(ops::local_gaussian<typename Model::real>{scaled.data(), model_.rows().data(), place_.data(),
                                                                    x.rows(), x.row_size(), k_, shrinkage_,
                                                                    value_.data(), share_.data(), scratch_.data()});
    }
    [[nodiscard]] std::span<const double> values() const noexcept { return value_; }
    /// (max_rows, d): each column's share of the Mahalanobis distance.
    [[nodiscard]] tensor_view<const double, 2> shares() const noexcept { return share_; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) { evidence_without(x, {}, out); }
    void evidence_without(tensor_view<const float, 2> x, std::span<const index> self, tensor_view<float, 3> out) {
      measure(x, self);
      const index d = x.row_size();
      for (index i = 0; i < x.rows(); ++i) {
        double distance = 0;
        for (index j = 0; j < d; ++j) distance += share_(i, j);
        const double rest = value_[static_cast<std::size_t>(i)] - distance;
        for (index j = 0; j < d; ++j)
          out.data()[i * d + j] = static_cast<float>(static_cast<double>(d) * share_(i, j) + rest);
      }
    }

   private:
    Model model_;
    index k_;
    double shrinkage_;
    tensor<typename Model::real, 2> scaled_;
    tensor<double, 2> share_;
    std::vector<double> value_, distance_;
    std::vector<index> place_;
    std::vector<double> scratch_;
  };
  template <class Context>
  requires kernel_density<typename Context::model_type>
  [[nodiscard]] run<typename Context::model_type> prepare(const Context& context, index max_rows) const {
    return on(context.model(), max_rows);
  }
  template <kernel_density Model>
  [[nodiscard]] run<Model> on(const Model& model, index max_rows) const {
    return {model, max_rows, params_};
  }

 private:
  params params_;
};
static_assert(policy<local_gaussian>);

}  // namespace anodiff::scorers
