// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/scorers/even_in_lambda.hpp>
#include <anodiff/scorers/stacked_levels.hpp>
#include <numbers>

namespace anodiff::scorers {

struct elbo_params {
  index levels = 20;  ///< of the chain whose bound it is, evenly spread in lambda over the schedule; [2, 4096]
  index repeats = 1;  ///< noise draws a level; [1, 4096]

  static constexpr void fields(auto& self, auto&& field) {
    field("levels", self.levels);
    field("repeats", self.repeats);
  }
};

/// The variational bound on −log p(x), in nats a column where its views are summed and its columns averaged. A step
/// from level t to the cleaner s costs ½ (SNR_s / SNR_t − 1) (ε − ε̂)²: Kingma et al. 2021 (VDM), arXiv:2107.00630, eq.
/// 13 and 14, exact for a chain of any stride, and β² / (2 σ² α (1 − ᾱ)) of Ho et al. 2020, eq. 12, for strides of one.
/// The cleanest level decodes with x ~ N(x̂_0, sigma² / alpha²). The last view is the prior's part and all constants.
class elbo {
 public:
  using params = elbo_params;
  static constexpr std::string_view name = "elbo";

  explicit elbo(params p = {}) : params_{p} {
    check(p.levels >= 2 && p.levels <= 4096, "scorers::elbo: levels must lie in [2, 4096], got ", p.levels);
    check(p.repeats >= 1 && p.repeats <= 4096, "scorers::elbo: repeats must lie in [1, 4096], got ", p.repeats);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, const params& p)
        : run(context, max_rows, even_in_lambda(context.schedule(), p.levels), p.repeats) {}
    [[nodiscard]] index views() const noexcept { return stack_.views() + 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      stack_.evidence(x, out);
      float* const prior = out.row(stack_.views()).data();
      for (index e = 0; e < x.size(); ++e) prior[e] = square_ * x.data()[e] * x.data()[e] + constant_;
    }

   private:
    run(const Context& context, index max_rows, const std::vector<noise_level>& levels, index repeats)
        : stack_{context, max_rows, views_of(levels, repeats, context.seed())} {
      const auto& [alpha, sigma, time] = levels.back();  // KL(N(alpha x, sigma²) | N(0, 1))
      square_ = static_cast<float>(alpha * alpha / 2);
      constant_ = static_cast<float>((sigma * sigma - 1) / 2 - std::log(sigma) + std::log(2 * std::numbers::pi) / 2 -
                                     levels.front().lambda());
    }
    [[nodiscard]] static std::vector<stacked_view> views_of(const std::vector<noise_level>& levels, index repeats,
                                                            std::uint64_t seed) {
      std::vector<stacked_view> views;
      for (std::size_t l = 0; l < levels.size(); ++l) {
        const double step = l == 0 ? 1 : std::expm1(2 * (levels[l - 1].lambda() - levels[l].lambda()));
        for (index r = 0; r < repeats; ++r)
          views.push_back({levels[l],
                           noise_key{.seed = seed,
                                     .draw = static_cast<std::uint32_t>(r),
                                     .step = static_cast<std::uint32_t>(l),
                                     .use = purpose::scoring},
                           step / 2 / static_cast<double>(repeats)});
      }
      return views;
    }

    stacked_levels<Context> stack_;
    float square_ = 0, constant_ = 0;
  };
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_};
  }

  /// Calls of the network that one row costs.
  template <class Context>
  [[nodiscard]] index network_calls(const Context&) const noexcept {
    return params_.levels * params_.repeats;
  }

 private:
  params params_;
};
static_assert(policy<elbo>);

}  // namespace anodiff::scorers
