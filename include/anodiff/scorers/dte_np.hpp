// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/core/parallel.hpp>

namespace anodiff::scorers {

struct dte_np_params {
  index neighbours = 10;  ///< K; [1, 1024], at most the remembered rows

  static constexpr void fields(auto& self, auto&& field) { field("neighbours", self.neighbours); }
};

/// Diffusion time estimation without a network: the mode of the noise variance that explains a row, given its K nearest
/// training rows, is the mean squared distance to them over d. Livernoche et al. 2023 (DTE), arXiv:2305.18593,
/// section 4.1; the continuous value, not the published code's integer bin. A column's evidence is its share of these
/// distances, so that pooling by the mean gives the score.
class dte_np {
 public:
  using params = dte_np_params;
  static constexpr std::string_view name = "dte_np";

  explicit dte_np(params p = {}) : params_{p} {
    check(p.neighbours >= 1 && p.neighbours <= 1024, "scorers::dte_np: neighbours must lie in [1, 1024], got ",
          p.neighbours);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, index neighbours)
        : model_{context.model()},
          k_{std::min(neighbours, model_.rows().rows())},
          distance_(static_cast<std::size_t>(max_rows * k_)),
          place_(distance_.size()) {}
    [[nodiscard]] index views() const noexcept { return 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) { evidence_without(x, {}, out); }
    void evidence_without(tensor_view<const float, 2> x, std::span<const index> self, tensor_view<float, 3> out) {
      model_.neighbours(x, k_, self, distance_.data(), place_.data());
      const index d = x.row_size();
      parallel_for(model_.engine().pool(), x.rows(), 64, [&](index first, index last) {
        for (index i = first; i < last; ++i) {
          float* to = out.data() + i * d;
          index found = 0;
          while (found < k_ && place_[static_cast<std::size_t>(i * k_ + found)] >= 0) ++found;
          for (index j = 0; j < d; ++j) {
            double sum = 0;
            for (index n = 0; n < found; ++n) {
              const double e = static_cast<double>(x(i, j)) -
                               static_cast<double>(model_.rows()(place_[static_cast<std::size_t>(i * k_ + n)], j));
              sum += e * e;
            }
            to[j] = static_cast<float>(sum / static_cast<double>(found));
          }
        }
      });
    }

   private:
    typename Context::model_type model_;
    index k_;
    std::vector<double> distance_;
    std::vector<index> place_;
  };
  template <class Context>
  requires neighbourhood<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_.neighbours};
  }

 private:
  params params_;
};
static_assert(policy<dte_np>);

}  // namespace anodiff::scorers
