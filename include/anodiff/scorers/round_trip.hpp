// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/scorers/even_in_lambda.hpp>
#include <anodiff/scorers/flow_steps.hpp>

namespace anodiff::scorers {

struct round_trip_params {
  index steps = 5;   ///< each way, evenly spread in lambda from the schedule's cleanest level; [1, 4096]
  double most = 10;  ///< sigma / alpha where the run turns round; inside the schedule

  static constexpr void fields(auto& self, auto&& field) {
    field("steps", self.steps);
    field("most", self.most);
  }
};

/// The squared difference between a row and what comes back when the probability-flow ODE takes it to noise and back,
/// DDIM each way. An exact solution would bring back every row: what is left is the error of the steps, large where the
/// flow bends. The error of such a trip is the score of ODEED (Liu et al. 2025, arXiv:2506.09368).
class round_trip {
 public:
  using params = round_trip_params;
  static constexpr std::string_view name = "round_trip";

  explicit round_trip(params p = {}) : params_{p} {
    check(p.steps >= 1 && p.steps <= 4096, "scorers::round_trip: steps must lie in [1, 4096], got ", p.steps);
    check(p.most > 0, "scorers::round_trip: most must be above 0, got ", p.most);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, const params& p)
        : flow_{context, max_rows, even_in_lambda(context.schedule(), p.steps + 1, 0, p.most)},
          y_{{max_rows, context.row_size()}} {}
    [[nodiscard]] index views() const noexcept { return 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      float* const y = y_.data();
      const auto go = [&](std::size_t from, std::size_t to) {
        flow_.step(y, flow_.output(y, from, x.rows()), from, to, x.size());
      };
      flow_.enter(x, y);
      const std::size_t top = flow_.size() - 1;
      for (std::size_t l = 0; l < top; ++l) go(l, l + 1);
      for (std::size_t l = top; l > 0; --l) go(l, l - 1);
      const auto back = static_cast<float>(1 / flow_.levels().front().alpha);
      for (index e = 0; e < x.size(); ++e) {
        const float off = back * y[e] - x.data()[e];
        out.data()[e] = off * off;
      }
    }

   private:
    flow_steps<Context> flow_;
    tensor<float, 2> y_;
  };
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_};
  }

  /// Calls of the network that one row costs.
  template <class Context>
  [[nodiscard]] index network_calls(const Context&) const noexcept {
    return 2 * params_.steps;
  }

 private:
  params params_;
};
static_assert(policy<round_trip>);

}  // namespace anodiff::scorers
