// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/scorers/even_in_lambda.hpp>
#include <anodiff/scorers/stacked_levels.hpp>

namespace anodiff::scorers {

struct score_norm_params {
  index levels = 10;   ///< one view each, evenly spread in lambda; [1, 4096]
  double least = 0.1;  ///< sigma / alpha of the cleanest; above 0, inside the schedule
  double most = 2;     ///< of the noisiest; at least `least`, inside the schedule

  static constexpr void fields(auto& self, auto&& field) {
    field("levels", self.levels);
    field("least", self.least);
    field("most", self.most);
  }
};

/// (σ s(x))², the squared noise that the network sees in a row to which none was added, at several levels: with σ =
/// sigma / alpha, s the score of the data blurred by σ, and σ s = −ε̂(alpha x). Pooled by the mean and times d it is
/// σ²‖s‖². Mahmood et al. 2021 (MSMA), arXiv:2010.13132. It is small at every mode and every saddle, and no
/// density.
class score_norm {
 public:
  using params = score_norm_params;
  static constexpr std::string_view name = "score_norm";

  explicit score_norm(params p = {}) : params_{p} {
    check(p.levels >= 1 && p.levels <= 4096, "scorers::score_norm: levels must lie in [1, 4096], got ", p.levels);
    check(p.least > 0 && p.least <= p.most, "scorers::score_norm: need 0 < least <= most, got ", p.least, " and ",
          p.most);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, const params& p) : stack_{context, max_rows, views_of(context, p)} {}
    /// One of the views alone.
    run(const Context& context, index max_rows, const params& p, index view)
        : stack_{context, max_rows,
                 std::span<const stacked_view>{views_of(context, p)}.subspan(static_cast<std::size_t>(view), 1)} {}
    [[nodiscard]] index views() const noexcept { return stack_.views(); }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) { stack_.evidence(x, out); }

   private:
    [[nodiscard]] static std::vector<stacked_view> views_of(const Context& context, const params& p) {
      std::vector<stacked_view> views;
      for (const auto& level : even_in_lambda(context.schedule(), p.levels, p.least, p.most))
        views.push_back({level, {}, 1});
      return views;
    }
    stacked_levels<Context> stack_;
  };
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_};
  }

  /// How many views a run has, and a run of one of them alone.
  [[nodiscard]] index views() const noexcept { return params_.levels; }
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare_view(const Context& context, index view, index max_rows) const {
    return {context, max_rows, params_, view};
  }

  /// Calls of the network that one row costs.
  template <class Context>
  [[nodiscard]] index network_calls(const Context&) const noexcept {
    return params_.levels;
  }

 private:
  params params_;
};
static_assert(policy<score_norm>);

}  // namespace anodiff::scorers
