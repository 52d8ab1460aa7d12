// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/scorers/stacked_levels.hpp>
#include <array>
#include <cmath>

namespace anodiff::scorers {

/// noise: (ε − ε̂)². clean: (x − x̂_0)², which is (sigma / alpha)² times that.
enum class error_of { noise, clean };
[[nodiscard]] constexpr std::array<std::string_view, 2> names_of(error_of) { return {"noise", "clean"}; }

struct denoising_error_params {
  index levels = 10;    ///< noise levels, evenly spread over [first, last]; [1, 4096]
  index repeats = 1;    ///< noise draws a level; [1, 4096]
  double first = 0.02;  ///< where the levels begin, as share of the schedule; [0, 1]
  double last = 0.5;    ///< where they end; [first, 1]
  error_of of = error_of::noise;

  static constexpr void fields(auto& self, auto&& field) {
    field("levels", self.levels);
    field("repeats", self.repeats);
    field("first", self.first);
    field("last", self.last);
    field("of", self.of);
  }
};

/// Level l of p.levels that are spread evenly over [p.first, p.last] of a schedule.
[[nodiscard]] inline const noise_level& spread_level(std::span<const noise_level> schedule, const auto& p, index l) {
  const double share =
      p.levels == 1 ? p.last : std::lerp(p.first, p.last, static_cast<double>(l) / static_cast<double>(p.levels - 1));
  return schedule[static_cast<std::size_t>(std::llround(share * static_cast<double>(schedule.size() - 1)))];
}

/// (ε − ε̂)² at several noise levels, one view a level and repeat: the terms of the ELBO without their weights. Ho et
/// al. 2020, eq. 14; TabADM (arXiv:2307.12336) sums them. All rows see the same noise, which takes most of the variance
/// out of the comparison between rows. Of the clean sample it is the reconstruction error of a denoising autoencoder
/// (Vincent et al. 2010). All levels of a row go through the network in one pass.
class denoising_error {
 public:
  using params = denoising_error_params;
  static constexpr std::string_view name = "denoising_error";

  explicit denoising_error(params p = {}) : params_{p} {
    check(p.levels >= 1 && p.levels <= 4096, "scorers::denoising_error: levels must lie in [1, 4096], got ", p.levels);
    check(p.repeats >= 1 && p.repeats <= 4096, "scorers::denoising_error: repeats must lie in [1, 4096], got ",
          p.repeats);
    check(p.first >= 0 && p.first <= p.last && p.last <= 1,
          "scorers::denoising_error: need 0 <= first <= last <= 1, got ", p.first, " and ", p.last);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, const params& p)
        : stack_{context, max_rows, views_of(context.schedule(), p, context.seed())} {}
    /// One of the views alone.
    run(const Context& context, index max_rows, const params& p, index view)
        : stack_{context, max_rows,
                 std::span<const stacked_view>{views_of(context.schedule(), p, context.seed())}.subspan(
                     static_cast<std::size_t>(view), 1)} {}
    [[nodiscard]] index views() const noexcept { return stack_.views(); }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) { stack_.evidence(x, out); }

   private:
    [[nodiscard]] static std::vector<stacked_view> views_of(std::span<const noise_level> schedule, const params& p,
                                                            std::uint64_t seed) {
      std::vector<stacked_view> views;
      for (index l = 0; l < p.levels; ++l) {
        const noise_level& level = spread_level(schedule, p, l);
        const double ratio = level.sigma / level.alpha;
        for (index r = 0; r < p.repeats; ++r)
          views.push_back({level,
                           noise_key{.seed = seed,
                                     .draw = static_cast<std::uint32_t>(r),
                                     .step = static_cast<std::uint32_t>(l),
                                     .use = purpose::scoring},
                           p.of == error_of::clean ? ratio * ratio : 1});
      }
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
  [[nodiscard]] index views() const noexcept { return params_.levels * params_.repeats; }
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare_view(const Context& context, index view, index max_rows) const {
    return {context, max_rows, params_, view};
  }

  /// Calls of the network that one row costs.
  template <class Context>
  [[nodiscard]] index network_calls(const Context&) const noexcept {
    return params_.levels * params_.repeats;
  }

 private:
  params params_;
};
static_assert(policy<denoising_error>);

}  // namespace anodiff::scorers
