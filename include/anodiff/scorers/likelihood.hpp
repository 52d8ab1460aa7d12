// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/core/philox.hpp>
#include <anodiff/scorers/even_in_lambda.hpp>
#include <numbers>

namespace anodiff::scorers {

struct likelihood_params {
  index steps = 20;  ///< of Heun, evenly spread in lambda; [1, 4096]
  index probes = 1;  ///< random directions for the divergence; 0 = one for each column, exact, for at most 64 of them;
                     ///< [0, 4096]
  double least = 0;  ///< sigma / alpha where the flow begins; 0 = the schedule's cleanest level, or inside the schedule
  double most = 10;  ///< where it ends, and a normal law is assumed; inside the schedule

  static constexpr void fields(auto& self, auto&& field) {
    field("steps", self.steps);
    field("probes", self.probes);
    field("least", self.least);
    field("most", self.most);
  }
};

/// −log p(x) by the probability-flow ODE, in nats a column where columns are averaged; p is the density of the data
/// blurred by the first level's ρ = sigma / alpha. Song et al. 2021, arXiv:2011.13456, eq. 39 and 40. With τ = ln ρ, c
/// = 1 / √(1 + ρ²) and u = c (x_0 + ρ ε) it is du/dτ = c (c u − x̂_0), which stands still for standard normal data, so
/// that few steps of Heun are enough; the divergence c² d − c tr(∂x̂_0/∂u) is taken along fixed random signs
/// (Hutchinson; Grathwohl et al. 2019, arXiv:1810.01367) by central differences of the denoiser: no gradient is
/// needed.
class likelihood {
 public:
  using params = likelihood_params;
  static constexpr std::string_view name = "likelihood";
  static constexpr index exact_columns = 64;

  explicit likelihood(params p = {}) : params_{p} {
    check(p.steps >= 1 && p.steps <= 4096, "scorers::likelihood: steps must lie in [1, 4096], got ", p.steps);
    check(p.probes >= 0 && p.probes <= 4096, "scorers::likelihood: probes must lie in [0, 4096], got ", p.probes);
    check(p.least >= 0, "scorers::likelihood: least must not be negative, got ", p.least);
    check(p.most > p.least, "scorers::likelihood: most must be above least, got ", p.most, " and ", p.least);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, const params& p)
        : levels_{even_in_lambda(context.schedule(), p.steps + 1, p.least, p.most)},
          estimator_{context.estimator(levels_, max_rows)},
          level_(static_cast<std::size_t>(max_rows)),
          u_{{max_rows, context.row_size()}},
          moved_{u_.extents()},
          input_{u_.extents()},
          slope_{u_.extents()},
          probe_{{probes(p, context.row_size()), context.row_size()}},
          probe_share_{p.probes == 0 ? 1 : 1 / static_cast<float>(p.probes)} {
      for (index r = 0; r < probe_.rows(); ++r)
        for (index j = 0; j < probe_.row_size(); ++j)
          probe_(r, j) = p.probes == 0 ? (r == j ? 1.0F : 0.0F) : sign(context.seed(), r, j);
      for (const auto& level : levels_) {
        const double ratio = level.sigma / level.alpha, c = 1 / std::sqrt(1 + ratio * ratio);
        const mixture fold = estimator_.fold(level);
        at_.push_back({.log_ratio = std::log(ratio),
                       .c = static_cast<float>(c),
                       .to_input = static_cast<float>(level.alpha / c),
                       .of_input = static_cast<float>(fold.first),
                       .of_output = static_cast<float>(fold.second),
                       .reach = static_cast<float>(c * std::max(0.05 * ratio, 1e-3))});
      }
    }
    [[nodiscard]] index views() const noexcept { return 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      const index n = x.size(), rows = x.rows();
      float *const u = u_.data(), *const moved = moved_.data(), *const slope = slope_.data();
      const auto constant = static_cast<float>(std::log(2 * std::numbers::pi) / 2) - std::log(at_.front().c);
      for (index e = 0; e < n; ++e) {
        u[e] = at_.front().c * x.data()[e];
        out.data()[e] = constant;
      }
      const std::size_t last = at_.size() - 1;
      for (std::size_t l = 0; l <= last; ++l) {
        const auto before = static_cast<float>(l == 0 ? 0 : at_[l].log_ratio - at_[l - 1].log_ratio),
                   after = static_cast<float>(l == last ? 0 : at_[l + 1].log_ratio - at_[l].log_ratio);
        add_divergence(l, rows, (before + after) / 2, out.data());
        if (l == last) break;
        each_clean(u, l, rows, [&](index e, float clean) {
          slope[e] = velocity(l, u[e], clean);
          moved[e] = u[e] + after * slope[e];
        });
        each_clean(moved, l + 1, rows,
                   [&](index e, float clean) { u[e] += after / 2 * (slope[e] + velocity(l + 1, moved[e], clean)); });
      }
      for (index e = 0; e < n; ++e) out.data()[e] += u[e] * u[e] / 2;
    }

   private:
    struct place {
      double log_ratio;
      float c, to_input, of_input, of_output;
      float reach;  // of a difference, in u: what is small against the noise, and large against rounding
    };
    [[nodiscard]] static index probes(const params& p, index columns) {
      check(p.probes > 0 || columns <= exact_columns,
            "scorers::likelihood: an exact divergence (probes = 0) is for at most ", exact_columns, " columns, got ",
            columns);
      return p.probes > 0 ? p.probes : columns;
    }
    [[nodiscard]] static float sign(std::uint64_t seed, index probe, index column) noexcept {
      const noise_key key{.seed = seed, .draw = static_cast<std::uint32_t>(probe), .use = purpose::scoring};
      return random_uniform(key, static_cast<std::uint64_t>(column)) < 0.5 ? -1.0F : 1.0F;
    }
    [[nodiscard]] float velocity(std::size_t l, float u, float clean) const noexcept {
      return at_[l].c * (at_[l].c * u - clean);
    }
    /// Calls f(element, x̂_0) for rows u at a level.
    template <class F>
    void each_clean(const float* u, std::size_t l, index rows, F&& f) {
      const place& at = at_[l];
      const index n = rows * input_.row_size();
      for (index e = 0; e < n; ++e) input_.data()[e] = at.to_input * u[e];
      std::fill_n(level_.begin(), rows, static_cast<std::int32_t>(l));
      const float* const output = estimator_.output(input_.data(), level_.data(), rows);
      for (index e = 0; e < n; ++e) f(e, at.of_input * input_.data()[e] + at.of_output * output[e]);
    }
    /// out −= weight ∂(du/dτ)/∂u, column by column.
    void add_divergence(std::size_t l, index rows, float weight, float* out) {
      const index d = input_.row_size(), n = rows * d;
      const auto [log_ratio, c, to_input, of_input, of_output, reach] = at_[l];
      for (index e = 0; e < n; ++e) out[e] -= weight * c * c;
      for (index r = 0; r < probe_.rows(); ++r) {
        const float* const probe = probe_.row(r).data();
        const float factor = weight * probe_share_ * c / (2 * reach);
        for (const float side : {1.0F, -1.0F}) {
          for (index e = 0; e < n; ++e) moved_.data()[e] = u_.data()[e] + side * reach * probe[e % d];
          each_clean(moved_.data(), l, rows,
                     [&](index e, float clean) { out[e] += side * factor * probe[e % d] * clean; });
        }
      }
    }

    std::vector<noise_level> levels_;
    typename Context::estimator_type estimator_;
    std::vector<std::int32_t> level_;
    tensor<float, 2> u_, moved_, input_, slope_, probe_;
    float probe_share_;
    std::vector<place> at_;
  };
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_};
  }

  /// Calls of the network that one row costs.
  template <class Context>
  [[nodiscard]] index network_calls(const Context& context) const noexcept {
    const index probes = params_.probes == 0 ? context.row_size() : params_.probes;
    return 2 * params_.steps + 2 * probes * (params_.steps + 1);
  }

 private:
  params params_;
};
static_assert(policy<likelihood>);

}  // namespace anodiff::scorers
