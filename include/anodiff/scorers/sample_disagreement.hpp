// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>

namespace anodiff::scorers {

struct sample_disagreement_params {
  index repeats = 8;  ///< runs with other noise; [2, 4096]

  static constexpr void fields(auto& self, auto&& field) { field("repeats", self.repeats); }
};

/// How much several rebuilds of a sample differ among themselves: their variance (over repeats − 1), element by
/// element. It never looks at how far they are from the sample, and needs a start with noise or a sampler that draws
/// some; with samplers::one_step it is the variance of the clean estimate. The variance scores of Liu et al. 2025,
/// arXiv:2506.09368.
class sample_disagreement {
 public:
  using params = sample_disagreement_params;
  static constexpr std::string_view name = "sample_disagreement";

  explicit sample_disagreement(params p = {}) : params_{p} {
    check(p.repeats >= 2 && p.repeats <= 4096, "scorers::sample_disagreement: repeats must lie in [2, 4096], got ",
          p.repeats);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, index repeats)
        : repeats_{repeats},
          rebuilder_{context.rebuilder(max_rows)},
          rebuilt_{{max_rows, context.row_size()}},
          mean_(static_cast<std::size_t>(max_rows * context.row_size())),
          square_(mean_.size()) {}
    [[nodiscard]] index views() const noexcept { return 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      const auto count = static_cast<std::size_t>(x.size());
      std::fill_n(mean_.begin(), count, 0.0);
      std::fill_n(square_.begin(), count, 0.0);
      for (index r = 0; r < repeats_; ++r) {
        rebuilder_.rebuild(x, static_cast<std::uint32_t>(r), rebuilt_.view().slice(0, x.rows()));
        for (std::size_t e = 0; e < count; ++e) {  // Welford 1962
          const double value = static_cast<double>(rebuilt_.data()[e]), change = value - mean_[e];
          mean_[e] += change / static_cast<double>(r + 1);
          square_[e] += change * (value - mean_[e]);
        }
      }
      for (std::size_t e = 0; e < count; ++e)
        out.data()[e] = static_cast<float>(square_[e] / static_cast<double>(repeats_ - 1));
    }

   private:
    index repeats_;
    typename Context::rebuilder_type rebuilder_;
    tensor<float, 2> rebuilt_;
    std::vector<double> mean_, square_;
  };
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_.repeats};
  }

  /// Calls of the network that one row costs.
  template <class Context>
  [[nodiscard]] index network_calls(const Context& context) const {
    return params_.repeats * context.rebuild_calls();
  }

 private:
  params params_;
};
static_assert(policy<sample_disagreement>);

}  // namespace anodiff::scorers
