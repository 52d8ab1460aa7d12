// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/exponential_weights.hpp>
#include <utility>

namespace anodiff::samplers {

/// B(h) of UniPC: −h, or e^{−h} − 1.
enum class unipc_kind { bh1, bh2 };
[[nodiscard]] constexpr std::array<std::string_view, 2> names_of(unipc_kind) { return {"bh1", "bh2"}; }

struct unipc_params {
  int order = 2;                      ///< of the predictor, 1 to 3; the corrector adds one
  unipc_kind kind = unipc_kind::bh2;  ///< bh1 needs a run that ends with noise
  bool correct = true;                ///< whether each new estimate first mends the step that led to it
  bool low_order_end = true;          ///< the last steps have at most the order of the steps left

  static constexpr void fields(auto& self, auto&& field) {
    field("order", self.order);
    field("kind", self.kind);
    field("correct", self.correct);
    field("low_order_end", self.low_order_end);
  }
};

/// UniPC in the clean estimate. Zhao et al. 2023, arXiv:2302.04867, algorithms 5 and 6, with weights ½ where diffusers
/// has them (predictor of order 2, corrector of order 1). Order + 1 in the step of lambda with the corrector, `order`
/// without. Predicted and corrected state differ by clean estimates alone, so that the correction is made within the
/// next update. Throws invalid_argument for bh1 where the run ends at sigma = 0: B(h) is infinite there.
class unipc {
 public:
  using params = unipc_params;
  static constexpr std::string_view name = "unipc";

  explicit unipc(params p = {}) : params_{p} {
    check(p.order >= 1 && p.order <= 3, "samplers::unipc: order must lie in [1, 3], got ", p.order);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] bool deterministic() const noexcept { return true; }
  [[nodiscard]] bool ends_with_noise() const noexcept { return params_.kind == unipc_kind::bh1; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::unipc", levels);
    check(params_.kind == unipc_kind::bh2 || levels.back().sigma > 0,
          "samplers::unipc: bh1 needs a run that ends with noise, got a last sigma of 0, where B(h) is infinite: use "
          "bh2, or end at the schedule's cleanest level");
    check(params_.kind == unipc_kind::bh2 || levels.front().alpha > 0,
          "samplers::unipc: bh1 needs a run that starts with signal, got a first alpha of 0, where B(h) is infinite: "
          "use bh2");
    std::vector<stage> stages;
    stages.reserve(levels.size() - 1);
    node_weights mend{};  // of the estimates: corrected less predicted state, newest estimate first
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
      const noise_level &from = levels[i], &to = levels[i + 1];
      const auto order = order_at(levels, i);
      stage s = detail::first_order(from, to);
      solver::add_estimates(s, mend, s.x_weight);
      const node_weights predicted = predictor(levels, i, order);
      solver::add_estimates(s, predicted, to.alpha);
      stages.push_back(s);
      mend = {};
      if (params_.correct && i + 2 < levels.size()) mend = correction(levels, i, order, predicted);
    }
    return stages;
  }

 private:
  [[nodiscard]] std::size_t order_at(std::span<const noise_level> levels, std::size_t i) const noexcept {
    auto place = solver::place_of(levels, i, false);
    const auto order = order_of(static_cast<std::size_t>(params_.order), place);
    return params_.low_order_end ? std::min(order, place.steps - place.step) : order;
  }
  /// −B ρ_k of the differences D_k = (m_k − m_0) / r_k over nodes r, so that Σ_k matches every power of τ / h up to
  /// `count`: Vandermonde's system, solved with its moments, which are those of the exact step.
  [[nodiscard]] node_weights solved(double h, const node_weights& r, std::size_t count) const noexcept {
    const auto moments = solver::growing_moments(h);
    const double factor = params_.kind == unipc_kind::bh1 ? h : moments[0];  // −B
    std::array<node_weights, 3> a{};
    node_weights b{};
    for (std::size_t k = 0; k < count; ++k) {
      for (std::size_t j = 0; j < count; ++j) a[k][j] = std::pow(r[j], static_cast<double>(k));
      b[k] = moments[k + 1] / (std::pow(h, static_cast<double>(k + 1)) * factor);
    }
    for (std::size_t k = 0; k < count; ++k) {  // elimination with pivots
      std::size_t best = k;
      for (std::size_t i = k + 1; i < count; ++i)
        if (std::abs(a[i][k]) > std::abs(a[best][k])) best = i;
      std::swap(a[k], a[best]);
      std::swap(b[k], b[best]);
      for (std::size_t i = k + 1; i < count; ++i) {
        const double f = a[i][k] / a[k][k];
        for (std::size_t j = k; j < count; ++j) a[i][j] -= f * a[k][j];
        b[i] -= f * b[k];
      }
    }
    for (std::size_t k = count; k-- > 0;) {
      for (std::size_t j = k + 1; j < count; ++j) b[k] -= a[k][j] * b[j];
      b[k] /= a[k][k];
    }
    for (std::size_t k = 0; k < count; ++k) b[k] *= factor;
    return b;
  }
  /// r_k of the past estimates of a step.
  [[nodiscard]] static node_weights ratios(std::span<const noise_level> levels, std::size_t i,
                                           std::size_t order) noexcept {
    const auto nodes = solver::past_nodes(levels, i, order);
    node_weights r{};
    for (std::size_t k = 1; k < order; ++k) r[k - 1] = nodes[k] / solver::width(levels, i);
    return r;
  }
  /// What the predictor adds to the first-order step, in units of alpha': weights of m_0, m_1, m_2.
  [[nodiscard]] node_weights predictor(std::span<const noise_level> levels, std::size_t i,
                                       std::size_t order) const noexcept {
    if (order == 1) return {};
    const double h = solver::width(levels, i);
    const auto r = ratios(levels, i, order);
    node_weights rho{};
    if (order == 2)
      rho[0] = (params_.kind == unipc_kind::bh1 ? h : -std::expm1(-h)) / 2;
    else
      rho = solved(h, r, order - 1);
    node_weights w{};
    for (std::size_t k = 0; k + 1 < order; ++k) {
      w[k + 1] += rho[k] / r[k];
      w[0] -= rho[k] / r[k];
    }
    return w;
  }
  /// Corrected less predicted state after step i: weights of the new estimate, m_0, m_1, m_2.
  [[nodiscard]] node_weights correction(std::span<const noise_level> levels, std::size_t i, std::size_t order,
                                        const node_weights& predicted) const noexcept {
    const double h = solver::width(levels, i);
    auto r = ratios(levels, i, order);
    r[order - 1] = 1;
    node_weights rho{};
    if (order == 1)
      rho[0] = (params_.kind == unipc_kind::bh1 ? h : -std::expm1(-h)) / 2;
    else
      rho = solved(h, r, order);
    node_weights w{};
    w[0] = rho[order - 1];
    w[1] = -rho[order - 1];
    for (std::size_t k = 0; k + 1 < order; ++k) {
      w[k + 2] += rho[k] / r[k];
      w[1] -= rho[k] / r[k];
    }
    for (std::size_t k = 0; k < 3; ++k) w[k + 1] -= predicted[k];
    for (auto& v : w) v *= levels[i + 1].alpha;
    return w;
  }
  params params_;
};
static_assert(sampler<unipc>);

}  // namespace anodiff::samplers
