// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/core/philox.hpp>

namespace anodiff::scorers {

struct repair_params {
  double depth = 0;  ///< noise level that the network is told the picture has, as share of the schedule; [0, 1]
  index block =
      8;  ///< side of the squares that are hidden for the second view: 2, 4, 8 or 16 pixels; 0 = no second view
  double hiding_sigma = 2;  ///< of the noise that hides them, as in training; above 0

  static constexpr void fields(auto& self, auto&& field) {
    field("depth", self.depth);
    field("block", self.block);
    field("hiding_sigma", self.hiding_sigma);
  }
};

/// What a network that has learned to take damage away would change in a picture; two views:
///   |x − x̂(x)|, in one call without noise, and |x − x̂| where the network had to guess x: the squares of a chessboard
///   are
/// hidden by noise, first the black ones, then the white ones. The first is the residual of cold diffusion (Bansal et
/// al. 2022, arXiv:2208.09392) started at the clean end, the second is in-painting (Zavrtanik et al. 2021, RIAD), which
/// cannot copy. Needs pictures, and a network that was trained with corruptions::drawn_damage.
class repair {
 public:
  using params = repair_params;
  static constexpr std::string_view name = "repair";

  explicit repair(params p = {}) : params_{p} {
    check(p.depth >= 0 && p.depth <= 1, "scorers::repair: depth must lie in [0, 1], got ", p.depth);
    check(p.block == 0 || p.block == 2 || p.block == 4 || p.block == 8 || p.block == 16,
          "scorers::repair: block must be 0, 2, 4, 8 or 16, got ", p.block);
    check(p.hiding_sigma > 0, "scorers::repair: hiding_sigma must be above 0, got ", p.hiding_sigma);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  /// What judges a coarser scale of a picture: the first view alone, for what little such a scale holds cannot be
  /// guessed from its surroundings.
  [[nodiscard]] repair coarse() const {
    params p = params_;
    p.block = 0;
    return repair{p};
  }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, const params& p)
        : params_{p},
          levels_{context.schedule()[static_cast<std::size_t>(
              std::llround(p.depth * static_cast<double>(context.schedule().size() - 1)))]},
          estimator_{context.estimator(levels_, max_rows)},
          extents_{context.model().sample_shape().sample},
          level_(static_cast<std::size_t>(max_rows)) {
      check(extents_.size() == 3, "scorers::repair: needs pictures (height, width, channels), got samples of ",
            extents_.size(), " dimensions");
      hidden_.resize(static_cast<std::size_t>(context.row_size()));
      // the noise repeats, so that a piece of a picture is hidden as the whole is
      for (index e = 0; e < period * period * extents_[2]; ++e)
        noise_.push_back(
            static_cast<float>(p.hiding_sigma * random_normal({.seed = context.seed(), .use = purpose::scoring},
                                                              static_cast<std::uint64_t>(e))));
    }
    [[nodiscard]] index views() const noexcept { return params_.block > 0 ? 2 : 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      for (index i = 0; i < x.rows(); ++i) {
        const float* in = x.row(i).data();
        measure(
            in, in, [](index) { return true; }, out.data() + i * x.row_size());
        if (params_.block == 0) continue;
        for (const index colour : {0, 1}) {
          const auto is_hidden = [&](index pixel) {
            return (pixel / extents_[1] / params_.block + pixel % extents_[1] / params_.block) % 2 == colour;
          };
          hide(in, is_hidden);
          measure(hidden_.data(), in, is_hidden, out.data() + (x.rows() + i) * x.row_size());
        }
      }
    }

   private:
    static constexpr index period = 16;

    template <class Which>
    void hide(const float* x, Which&& is_hidden) {
      const index width = extents_[1], channels = extents_[2];
      for (index pixel = 0; pixel < extents_[0] * width; ++pixel) {
        const float* from = is_hidden(pixel)
                                ? noise_.data() + (pixel / width % period * period + pixel % width % period) * channels
                                : x + pixel * channels;
        std::copy_n(from, channels, hidden_.data() + pixel * channels);
      }
    }
    /// out = |x − x̂(seen)| at the pixels that are asked for.
    template <class Which>
    void measure(const float* seen, const float* x, Which&& wanted, float* out) {
      const mixture fold = estimator_.fold(levels_[0]);
      const auto of_seen = static_cast<float>(fold.first), of_output = static_cast<float>(fold.second);
      const float* output = estimator_.output(seen, level_.data(), 1);
      const index channels = extents_[2];
      for (index pixel = 0; pixel < extents_[0] * extents_[1]; ++pixel)
        if (wanted(pixel))
          for (index e = pixel * channels; e < (pixel + 1) * channels; ++e)
            out[e] = std::abs(x[e] - (of_seen * seen[e] + of_output * output[e]));
    }

    params params_;
    std::vector<noise_level> levels_;
    typename Context::estimator_type estimator_;
    std::vector<index> extents_;
    std::vector<std::int32_t> level_;
    std::vector<float> hidden_, noise_;
  };
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_};
  }
  /// Calls of the network that one picture costs at each scale.
  template <class Context>
  [[nodiscard]] index network_calls(const Context&) const noexcept {
    return params_.block > 0 ? 3 : 1;
  }

 private:
  params params_;
};
static_assert(policy<repair>);

}  // namespace anodiff::scorers
