// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/ops/classes.hpp>
#include <anodiff/ops/noise.hpp>
#include <anodiff/scorers/denoising_error.hpp>

namespace anodiff::scorers {

struct mixed_denoising_error_params {
  index levels = 10;    ///< noise levels, evenly spread over [first, last]; [1, 4096]
  index repeats = 4;    ///< noise draws a level; [1, 4096]
  double first = 0.05;  ///< where the levels begin, as share of the schedule; [0, 1]
  double last = 0.6;    ///< where they end; [first, 1]

  static constexpr void fields(auto& self, auto&& field) {
    field("levels", self.levels);
    field("repeats", self.repeats);
    field("first", self.first);
    field("last", self.last);
  }
};

/// The loss of objectives::mixed_error at several noise levels, one view a level and repeat: (ε − ε̂)² of a number, and
/// −log of the class that a category holds under the law that the network gives it once row and category are noised,
/// at that class's indicator. Ho et al. 2020, eq. 14, and Austin et al. 2021 (D3PM), arXiv:2107.03006, eq. 5. All rows
/// see the same noise.
class mixed_denoising_error {
 public:
  using params = mixed_denoising_error_params;
  static constexpr std::string_view name = "mixed_denoising_error";

  explicit mixed_denoising_error(params p = {}) : params_{p} {
    check(p.levels >= 1 && p.levels <= 4096, "scorers::mixed_denoising_error: levels must lie in [1, 4096], got ",
          p.levels);
    check(p.repeats >= 1 && p.repeats <= 4096, "scorers::mixed_denoising_error: repeats must lie in [1, 4096], got ",
          p.repeats);
    check(p.first >= 0 && p.first <= p.last && p.last <= 1,
          "scorers::mixed_denoising_error: need 0 <= first <= last <= 1, got ", p.first, " and ", p.last);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, const params& p)
        : run(context, max_rows, p, levels_of(context.schedule(), p)) {}
    [[nodiscard]] index views() const noexcept { return levels_count_ * repeats_; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      const index d = x.row_size();
      for (index view = 0; view < views(); ++view) {
        const index l = view / repeats_;
        const float* const noise = noise_.row(view).data();
        for (index i = 0; i < x.rows(); ++i) damage(x.row(i).data(), view, state_.row(i).data());
        std::fill_n(level_.begin(), x.rows(), static_cast<std::int32_t>(l));
        const float* output = estimator_.output(state_.data(), level_.data(), x.rows());
        for (index i = 0; i < x.rows(); ++i, output += d)
          measure(x.row(i).data(), state_.row(i).data(), output, noise, folds_[static_cast<std::size_t>(l)],
                  out.row(view).data() + i * d);
      }
    }

   private:
    run(const Context& context, index max_rows, const params& p, std::vector<noise_level> levels)
        : repeats_{p.repeats},
          levels_count_{p.levels},
          groups_{context.model().sample_shape().groups},
          estimator_{context.estimator(levels, max_rows)},
          noise_{{p.levels * p.repeats, context.row_size()}},
          state_{{max_rows, context.row_size()}},
          level_(static_cast<std::size_t>(max_rows)) {
      if (groups_.empty()) groups_.assign(static_cast<std::size_t>(context.row_size()), 1);
      const auto machine = context.machine();
      for (index view = 0; view < views(); ++view) {
        const noise_level& level = levels[static_cast<std::size_t>(view / repeats_)];
        keys_.push_back({.seed = context.seed(),
                         .draw = static_cast<std::uint32_t>(view % repeats_),
                         .step = static_cast<std::uint32_t>(view / repeats_),
                         .use = purpose::scoring});
        machine.run(ops::fill_normal<float>{noise_.row(view).data(), 1, context.row_size(), {keys_.back()}});
        levels_.push_back(level);
        if (view % repeats_ != 0) continue;
        const mixture fold = context.fold(level);  // ε̂ = (y − alpha x̂_0) / sigma
        folds_.push_back({(1 - level.alpha * fold.first) / level.sigma, -level.alpha * fold.second / level.sigma});
      }
    }
    [[nodiscard]] static std::vector<noise_level> levels_of(std::span<const noise_level> schedule, const params& p) {
      std::vector<noise_level> out;
      for (index l = 0; l < p.levels; ++l) out.push_back(spread_level(schedule, p, l));
      return out;
    }
    void damage(const float* x, index view, float* to) const {
      const noise_level& level = levels_[static_cast<std::size_t>(view)];
      const auto alpha = static_cast<float>(level.alpha), sigma = static_cast<float>(level.sigma);
      const float* const noise = noise_.row(view).data();
      index at = 0;
      for (const index size : groups_) {
        if (size == 1) {
          to[at] = alpha * x[at] + sigma * noise[at];
        } else {
          std::fill_n(to + at, size, 0.0F);
          to[at + ops::diffused_class(ops::held_class(x + at, size), size, ops::kept_share(level.alpha, level.sigma),
                                      keys_[static_cast<std::size_t>(view)],
                                      ops::class_element(state_.row_size(), at))] = 1;
        }
        at += size;
      }
    }
    void measure(const float* x, const float* y, const float* output, const float* noise, const mixture& fold,
                 float* to) const {
      index at = 0;
      for (const index size : groups_) {
        if (size == 1) {
          const double off = fold.first * static_cast<double>(y[at]) + fold.second * static_cast<double>(output[at]) -
                             static_cast<double>(noise[at]);
          to[at] = static_cast<float>(off * off);
        } else {
          std::fill_n(to + at, size, 0.0F);
          const index held = ops::held_class(x + at, size);
          to[at + held] = static_cast<float>(ops::class_surprise(output + at, held, size));
        }
        at += size;
      }
    }

    index repeats_, levels_count_;
    std::vector<index> groups_;
    typename Context::estimator_type estimator_;
    tensor<float, 2> noise_, state_;  // (views, d), (max_rows, d)
    std::vector<std::int32_t> level_;
    std::vector<noise_key> keys_;      // (views)
    std::vector<noise_level> levels_;  // (views)
    std::vector<mixture> folds_;       // (levels), of ε̂
  };
  template <class Context>
  requires trainable<typename Context::model_type> && denoiser<typename Context::model_type>
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
static_assert(policy<mixed_denoising_error>);

}  // namespace anodiff::scorers
