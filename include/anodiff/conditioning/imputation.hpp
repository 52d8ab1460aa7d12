// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/conditioner.hpp>
#include <anodiff/core/philox.hpp>
#include <cmath>
#include <numeric>

namespace anodiff::conditioning {

struct imputation_params {
  index groups = 4;  ///< into which the columns are dealt, one of them hidden in each repeat; 0 hides what is missing
                     ///< alone; [0, 4096]
  index resamples =
      5;  ///< times that each step is taken, so that what is filled in comes to fit what is known; [1, 1000]

  static constexpr void fields(auto& self, auto&& field) {
    field("groups", self.groups);
    field("resamples", self.resamples);
  }
};

/// The known values of a row are held: at each level they are put back with that level's noise, and the run fills in
/// the others from noise. Lugmayr et al. 2022 (RePaint), arXiv:2201.09865, algorithm 1; a step that is taken again is
/// one update, down to the cleaner level and back. Missing values are never known. Beside them repeat r of a scorer
/// hides one group of columns, of groups that are dealt anew once each has had its turn, as the complementary masks of
/// Chen et al. 2023 (ImDiffusion), arXiv:2307.00754, do: what is rebuilt of a value then comes from the others alone,
/// so that repeats should be a multiple of the groups, and the run start at depth 1. All rows of a repeat have the same
/// columns hidden and see the same noise.
class imputation {
 public:
  using params = imputation_params;
  static constexpr std::string_view name = "imputation";
  static constexpr bool fills_gaps = true;

  explicit imputation(params p = {}) : params_{p} {
    check(p.groups >= 0 && p.groups <= 4096, "conditioning::imputation: groups must lie in [0, 4096], got ", p.groups);
    check(p.resamples >= 1 && p.resamples <= 1000, "conditioning::imputation: resamples must lie in [1, 1000], got ",
          p.resamples);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  class bound {
   public:
    bound(const run_inputs& inputs, index groups)
        : input_{inputs.input},
          groups_{std::min(groups, inputs.input.row_size())},
          key_{.seed = inputs.seed, .draw = inputs.draw, .use = purpose::init} {
      if (groups_ == 0) return;
      turn_ = static_cast<index>(inputs.draw) % groups_;
      const auto d = static_cast<std::uint64_t>(input_.row_size());
      const noise_key deal{.seed = inputs.seed,
                           .draw = static_cast<std::uint32_t>(static_cast<index>(inputs.draw) / groups_),
                           .use = purpose::repeat};
      stride_ = 1 + static_cast<index>(random_below(deal, 0, d));
      while (std::gcd(stride_, input_.row_size()) != 1) ++stride_;
      offset_ = static_cast<index>(random_below(deal, 1, d));
    }
    [[nodiscard]] std::vector<noise_level> levels(std::vector<noise_level> list) const { return list; }
    /// What is hidden starts as noise of the deviation that a standardised column has at the level.
    void enter(tensor_view<float, 2> x, const noise_level& level) {
      hold(x, level);
      ++key_.step;
      const double deviation = std::hypot(level.alpha, level.sigma);
      for (index j = 0; j < x.row_size(); ++j) {
        const auto fresh = static_cast<float>(deviation * random_normal(key_, static_cast<std::uint64_t>(j)));
        for (index i = 0; i < x.rows(); ++i)
          if (hidden(i, j)) x(i, j) = fresh;
      }
      ++key_.step;
    }
    void after_step(tensor_view<float, 2> x, const noise_level& level) {
      hold(x, level);
      ++key_.step;
    }
    [[nodiscard]] bool hidden(index i, index j) const noexcept {
      return std::isnan(input_(i, j)) ||
             (groups_ > 0 && (stride_ * j + offset_) % input_.row_size() % groups_ == turn_);
    }

   private:
    void hold(tensor_view<float, 2> x, const noise_level& level) const {
      for (index j = 0; j < x.row_size(); ++j) {
        const double noise = level.sigma > 0 ? level.sigma * random_normal(key_, static_cast<std::uint64_t>(j)) : 0;
        for (index i = 0; i < x.rows(); ++i)
          if (!hidden(i, j)) x(i, j) = static_cast<float>(level.alpha * static_cast<double>(input_(i, j)) + noise);
      }
    }
    tensor_view<const float, 2> input_;
    index groups_, turn_ = 0, stride_ = 1, offset_ = 0;  // column j has place stride j + offset among the columns
    noise_key key_;
  };
  [[nodiscard]] bound bind(const run_inputs& inputs) const { return {inputs, params_.groups}; }

  /// Each stage that ends with noise, resamples times. Throws invalid_argument for a sampler whose stages read earlier
  /// ones, or draw with a learned variance.
  [[nodiscard]] std::vector<stage> program(const std::vector<stage>& stages, const noise_level& end) const {
    if (params_.resamples == 1) return stages;
    std::vector<stage> out;
    for (std::size_t i = 0; i < stages.size(); ++i) {
      const stage& s = stages[i];
      const noise_level& to = i + 1 < stages.size() ? stages[i + 1].at : end;
      check(s.saved_weight == 0 && s.past_weight == decltype(s.past_weight){} && s.noise_most == 0,
            "conditioning::imputation: steps can be taken again where each stands alone, got a sampler that reads "
            "earlier estimates or a learned variance; use ddpm or ddim, or resamples = 1");
      if (to.sigma > 0) {
        stage again = s;
        const double shrink = s.at.alpha / to.alpha;
        again.x_weight *= shrink;
        again.clean_weight *= shrink;
        again.noise_weight =
            std::hypot(shrink * s.noise_weight,
                       std::sqrt(std::max(0.0, s.at.sigma * s.at.sigma - shrink * shrink * to.sigma * to.sigma)));
        out.insert(out.end(), static_cast<std::size_t>(params_.resamples - 1), again);
      }
      out.push_back(s);
    }
    return out;
  }

 private:
  params params_;
};
static_assert(conditioner<imputation>);

}  // namespace anodiff::conditioning
