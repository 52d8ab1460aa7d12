// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>

namespace anodiff::scorers {

struct energy_params {
  double multiple = 2.5;  ///< noise level in units of spacing / √d; above 0

  static constexpr void fields(auto& self, auto&& field) { field("multiple", self.multiple); }
};

/// The energy of a row, −log Σ_k exp(−‖x − x_k‖² / (2σ²)), at one noise level: but for a constant its negative log
/// density under the forward process of the training set, whose gradient is (x − x̂_0) / σ² with x̂_0 the empirical
/// denoiser's estimate (Karras et al. 2022, arXiv:2206.00364, appendix B.3). It starts from the clean row and draws no
/// random numbers; as σ falls it ranks as the nearest neighbour does. A column's evidence is its share of the mean
/// exponent under the posterior, and an equal part of what is left, so that pooling by the mean gives the energy.
class energy {
 public:
  using params = energy_params;
  static constexpr std::string_view name = "energy";

  explicit energy(params p = {}) : params_{p} {
    check(p.multiple > 0, "scorers::energy: multiple must be above 0, got ", p.multiple);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Model>
  class run {
   public:
    run(const Model& model, index max_rows, double multiple)
        : model_{model},
          sigma_{multiple * model.spacing() / std::sqrt(static_cast<double>(model.rows().row_size()))},
          scaled_{{max_rows, model.rows().row_size()}},
          spread_{scaled_.extents()},
          energy_(static_cast<std::size_t>(max_rows)) {}
    [[nodiscard]] index views() const noexcept { return 1; }
    /// Fills energies() and spread() for rows x; self (n) names the remembered row that each is, or is empty.
    void measure(tensor_view<const float, 2> x, std::span<const index> self) {
      model_.scale(x, scaled_.data());
      model_.energy(const_view(scaled_).slice(0, x.rows()), sigma_, self, energy_.data(), spread_.data());
    }
    [[nodiscard]] std::span<const double> energies() const noexcept { return energy_; }
    /// (max_rows, d): Σ_k w_k (x_j − x_kj)², in the model's scale.
    [[nodiscard]] tensor_view<const double, 2> spread() const noexcept { return spread_; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) { evidence_without(x, {}, out); }
    void evidence_without(tensor_view<const float, 2> x, std::span<const index> self, tensor_view<float, 3> out) {
      measure(x, self);
      const index d = x.row_size();
      const double factor = 1 / (2 * sigma_ * sigma_);
      for (index i = 0; i < x.rows(); ++i) {
        double exponent = 0;
        for (index j = 0; j < d; ++j) exponent += spread_(i, j) * factor;
        const double rest = energy_[static_cast<std::size_t>(i)] - exponent;
        for (index j = 0; j < d; ++j)
          out.data()[i * d + j] = static_cast<float>(static_cast<double>(d) * spread_(i, j) * factor + rest);
      }
    }

   private:
    Model model_;
    double sigma_;
    tensor<typename Model::real, 2> scaled_;
    tensor<double, 2> spread_;
    std::vector<double> energy_;
  };
  template <class Context>
  requires kernel_density<typename Context::model_type>
  [[nodiscard]] run<typename Context::model_type> prepare(const Context& context, index max_rows) const {
    return on(context.model(), max_rows);
  }
  template <kernel_density Model>
  [[nodiscard]] run<Model> on(const Model& model, index max_rows) const {
    return {model, max_rows, params_.multiple};
  }

 private:
  params params_;
};
static_assert(policy<energy>);

}  // namespace anodiff::scorers
