// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/ops/level_stack.hpp>
#include <anodiff/ops/noise.hpp>
#include <numeric>

namespace anodiff::scorers {

struct denoising_error_params {
  index levels = 10;    ///< noise levels, evenly spread over [first, last]; [1, 4096]
  index repeats = 1;    ///< noise draws a level; [1, 4096]
  double first = 0.02;  ///< where the levels begin, as share of the schedule; [0, 1]
  double last = 0.5;    ///< where they end; [first, 1]

  static constexpr void fields(auto& self, auto&& field) {
    field("levels", self.levels);
    field("repeats", self.repeats);
    field("first", self.first);
    field("last", self.last);
  }
};

/// (ε − ε̂)² at several noise levels, one view a level and repeat: the terms of the ELBO without their weights. Ho et
/// al. 2020, eq. 14; TabADM (arXiv:2307.12336) sums them. All rows see the same noise, which takes most of the variance
/// out of the comparison between rows. All levels of a row go through the network in one pass.
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
        : run(context, max_rows, views_of(context.schedule(), p), p.repeats) {}
    [[nodiscard]] index views() const noexcept { return views_; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      const index d = x.row_size();
      for (index first = 0; first < x.rows(); first += stack_rows_) {
        const index rows = std::min(stack_rows_, x.rows() - first);
        machine_.run(ops::stack_levels<float>{x.row(first).data(), noise_.data(), alpha_.data(), sigma_.data(),
                                              stacked_.data(), rows, views_, d});
        const float* output = estimator_.output(stacked_.data(), level_.data(), rows * views_);
        machine_.run(ops::noise_error<float>{stacked_.data(), output, noise_.data(), state_.data(), output_.data(),
                                             weight_.data(), out.data() + first * d, out.row_size(), rows, views_, d});
      }
    }

   private:
    run(const Context& context, index max_rows, const std::vector<noise_level>& levels, index repeats)
        : machine_{context.machine()},
          views_{static_cast<index>(levels.size())},
          stack_rows_{std::clamp<index>(stack_target / views_, 1, max_rows)},
          estimator_{context.estimator(levels, stack_rows_ * views_)},
          noise_{{views_, context.row_size()}},
          stacked_{{stack_rows_ * views_, context.row_size()}},
          level_(static_cast<std::size_t>(stack_rows_ * views_)) {
      for (std::size_t v = 0; v < levels.size(); ++v) {
        const auto& level = levels[v];
        const mixture fold = estimator_.fold(level);  // x̂_0 = first y + second F, and ε̂ = (y − alpha x̂_0) / sigma
        alpha_.push_back(static_cast<float>(level.alpha));
        sigma_.push_back(static_cast<float>(level.sigma));
        state_.push_back(static_cast<float>((1 - level.alpha * fold.first) / level.sigma));
        output_.push_back(static_cast<float>(-level.alpha * fold.second / level.sigma));
        weight_.push_back(1.0F);
        const auto at = static_cast<index>(v);
        const noise_key key{.seed = context.seed(),
                            .draw = static_cast<std::uint32_t>(at % repeats),
                            .step = static_cast<std::uint32_t>(at / repeats),
                            .use = purpose::scoring};
        machine_.run(ops::fill_normal<float>{noise_.row(at).data(), 1, context.row_size(), {key}});
      }
      for (std::size_t i = 0; i < level_.size(); ++i)
        level_[i] = static_cast<std::int32_t>(static_cast<index>(i) % views_);
    }
    [[nodiscard]] static std::vector<noise_level> views_of(std::span<const noise_level> schedule, const params& p) {
      std::vector<noise_level> levels;
      const auto top = static_cast<double>(schedule.size() - 1);
      for (index l = 0; l < p.levels; ++l) {
        const double share =
            p.levels == 1 ? p.last
                          : std::lerp(p.first, p.last, static_cast<double>(l) / static_cast<double>(p.levels - 1));
        for (index r = 0; r < p.repeats; ++r)
          levels.push_back(schedule[static_cast<std::size_t>(std::llround(share * top))]);
      }
      return levels;
    }
    static constexpr index stack_target = 512;  // rows for the network at a time: activations stay in the cache

    typename Context::machine_type machine_;
    index views_, stack_rows_;
    typename Context::estimator_type estimator_;
    tensor<float, 2> noise_, stacked_;
    std::vector<std::int32_t> level_;
    std::vector<float> alpha_, sigma_, state_, output_, weight_;
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
static_assert(policy<denoising_error>);

}  // namespace anodiff::scorers
