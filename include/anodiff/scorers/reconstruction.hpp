// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/distance.hpp>
#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>

namespace anodiff::scorers {

struct reconstruction_params {
  index repeats = 1;  ///< runs with other noise, one view each; [1, 4096]

  static constexpr void fields(auto& self, auto&& field) { field("repeats", self.repeats); }
};

/// The distance between a sample and what the denoising run makes of it. Wyatt et al. 2022 (AnoDDPM), CVPR workshops,
/// section 3; the clean start is that of Livernoche et al. 2023 (DTE), arXiv:2305.18593, appendix.
template <class Distance>
class reconstruction {
 public:
  using params = reconstruction_params;
  using distance_policy = Distance;
  static constexpr std::string_view name = "reconstruction";

  explicit reconstruction(params p = {}) : params_{p} {
    check(p.repeats >= 1 && p.repeats <= 4096, "scorers::reconstruction: repeats must lie in [1, 4096], got ",
          p.repeats);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, index repeats)
        : repeats_{repeats},
          machine_{context.machine()},
          sample_{context.sample()},
          rebuilder_{context.rebuilder(max_rows)},
          rebuilt_{{max_rows, context.row_size()}} {}
    [[nodiscard]] index views() const noexcept { return repeats_; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      const auto rebuilt = rebuilt_.view().slice(0, x.rows());
      for (index r = 0; r < repeats_; ++r) {
        rebuilder_.rebuild(x, static_cast<std::uint32_t>(r), rebuilt);
        distance_.measure(machine_, x, rebuilt, {out.row(r).data(), x.extents()}, sample_);
      }
    }

   private:
    index repeats_;
    Distance distance_;
    typename Context::machine_type machine_;
    std::vector<index> sample_;
    typename Context::rebuilder_type rebuilder_;
    tensor<float, 2> rebuilt_;
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

}  // namespace anodiff::scorers
