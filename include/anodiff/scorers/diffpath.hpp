// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/scorers/even_in_lambda.hpp>
#include <anodiff/scorers/flow_steps.hpp>

namespace anodiff::scorers {

struct diffpath_params {
  index levels = 10;  ///< of the path, evenly spread in lambda over the schedule; [2, 4096]

  static constexpr void fields(auto& self, auto&& field) { field("levels", self.levels); }
};

/// Statistics of the path on which DDIM inversion takes a row to noise: the means over the path of |ε̂|, ε̂² and |ε̂|³,
/// then those of the rate at which ε̂ changes with lambda. Heng et al. 2024 (DiffPath), arXiv:2405.11881,
/// whose six statistics of this kind are scored by a density over normal samples.
class diffpath {
 public:
  using params = diffpath_params;
  static constexpr std::string_view name = "diffpath";

  explicit diffpath(params p = {}) : params_{p} {
    check(p.levels >= 2 && p.levels <= 4096, "scorers::diffpath: levels must lie in [2, 4096], got ", p.levels);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, index levels)
        : flow_{context, max_rows, even_in_lambda(context.schedule(), levels)},
          y_{{max_rows, context.row_size()}},
          before_{y_.extents()} {}
    [[nodiscard]] index views() const noexcept { return 2 * powers; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      float* const y = y_.data();
      std::fill_n(out.data(), out.size(), 0.0F);
      flow_.enter(x, y);
      const std::size_t size = flow_.size();
      for (std::size_t l = 0; l < size; ++l) {
        const float* const output = flow_.output(y, l, x.rows());
        const auto share = 1 / static_cast<float>(size), change_share = 1 / static_cast<float>(size - 1);
        const auto& levels = flow_.levels();
        const auto rate = l == 0 ? 0 : static_cast<float>(1 / (levels[l - 1].lambda() - levels[l].lambda()));
        flow_.each_noise(y, output, l, x.size(), [&](index e, float noise) {
          add(out, 0, e, share, noise);
          add(out, powers, e, change_share, rate * (noise - before_.data()[e]));
          before_.data()[e] = noise;
        });
        if (l + 1 < size) flow_.step(y, output, l, l + 1, x.size());
      }
    }

   private:
    static constexpr index powers = 3;
    static void add(tensor_view<float, 3> out, index first, index e, float share, float value) {
      float power = share;
      for (index p = 0; p < powers; ++p) {
        power *= std::abs(value);
        out.data()[(first + p) * out.row_size() + e] += power;
      }
    }
    flow_steps<Context> flow_;
    tensor<float, 2> y_, before_;
  };
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_.levels};
  }

  /// Calls of the network that one row costs.
  template <class Context>
  [[nodiscard]] index network_calls(const Context&) const noexcept {
    return params_.levels;
  }

 private:
  params params_;
};
static_assert(policy<diffpath>);

}  // namespace anodiff::scorers
