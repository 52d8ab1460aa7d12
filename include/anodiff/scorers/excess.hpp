// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>

namespace anodiff::scorers {

struct excess_params {
  double hinge = 2;  ///< the second view speaks only for rows rarer than e^-hinge among normals; at least 0

  static constexpr void fields(auto& self, auto&& field) { field("hinge", self.hinge); }
};

/// Two views of a row, each as surprise a = −log of its tail probability among normal rows: a_main +
/// max(0, a_partner − hinge). A view that is blind on some data then cannot dilute one that sees. A column's evidence
/// is its part of each view's distance times that view's contribution, so that pooling by the mean gives the sum.
class excess {
 public:
  using params = excess_params;
  static constexpr std::string_view name = "excess";

  explicit excess(params p = {}) : params_{p} {
    check(p.hinge >= 0, "scorers::excess: hinge must not be negative, got ", p.hinge);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Model>
  class run {
   public:
    run(const Model& model, index max_rows, double hinge)
        : model_{model},
          hinge_{hinge},
          main_{model_.energy().on(model_.main(), max_rows)},
          partner_{model_.local_gaussian().on(model_.partner(), max_rows)} {}
    [[nodiscard]] index views() const noexcept { return 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) { evidence_without(x, {}, out); }
    void evidence_without(tensor_view<const float, 2> x, std::span<const index> self, tensor_view<float, 3> out) {
      main_.measure(x, self);
      partner_.measure(x, self);
      const index d = x.row_size();
      for (index i = 0; i < x.rows(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        const bool seen = !self.empty() && model_.in_tails(self[at]);
        const double first = model_.main_tail().surprise(stored(main_.energies()[at]), seen);
        const double second =
            std::max(0.0, model_.partner_tail().surprise(stored(partner_.values()[at]), seen) - hinge_);
        float* to = out.data() + i * d;
        std::fill_n(to, d, 0.0F);
        add(main_.spread().row(i), first, to);
        add(partner_.shares().row(i), second, to);
      }
    }

   private:
    /// As the tails keep it: a row that is among them must find itself.
    [[nodiscard]] static double stored(double score) noexcept {
      return static_cast<double>(static_cast<typename Model::real>(score));
    }
    /// out += value, spread over the columns by their parts.
    static void add(std::span<const double> part, double value, float* out) noexcept {
      double total = 0;
      for (const double p : part) total += std::abs(p);
      const auto d = static_cast<double>(part.size());
      for (std::size_t j = 0; j < part.size(); ++j)
        out[j] += static_cast<float>(total > 0 ? d * value * (std::abs(part[j]) / total) : value);
    }
    Model model_;
    double hinge_;
    decltype(std::declval<const Model&>().energy().on(std::declval<const Model&>().main(), index{})) main_;
    decltype(std::declval<const Model&>().local_gaussian().on(std::declval<const Model&>().partner(),
                                                              index{})) partner_;
  };
  template <class Context>
  requires two_views<typename Context::model_type>
  [[nodiscard]] run<typename Context::model_type> prepare(const Context& context, index max_rows) const {
    return {context.model(), max_rows, params_.hinge};
  }

 private:
  params params_;
};
static_assert(policy<excess>);

}  // namespace anodiff::scorers
