// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/distance.hpp>
#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>

namespace anodiff::scorers {

struct several_starts_params {
  index starts = 5;  ///< evenly spread over the run's levels, at most as many as it has; [1, 4096]

  static constexpr void fields(auto& self, auto&& field) { field("starts", self.starts); }
};

/// The distance between a sample and its rebuild from several levels of one run, one view a start: shallow starts find
/// fine defects, deep ones what is wrong as a whole. Each start draws noise of its own. Graham et al. 2023 (DDPM-OOD),
/// arXiv:2211.07740, who average the views' z-scores: aggregation::z_score.
template <class Distance>
class several_starts {
 public:
  using params = several_starts_params;
  using distance_policy = Distance;
  static constexpr std::string_view name = "several_starts";

  explicit several_starts(params p = {}) : params_{p} {
    check(p.starts >= 1 && p.starts <= 4096, "scorers::several_starts: starts must lie in [1, 4096], got ", p.starts);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, index starts)
        : machine_{context.machine()}, sample_{context.sample()}, rebuilt_{{max_rows, context.row_size()}} {
      const auto levels = context.run_levels();
      for (const std::size_t first : firsts(levels.size(), starts))
        rebuilders_.push_back(
            context.rebuilder({levels.begin() + static_cast<std::ptrdiff_t>(first), levels.end()}, max_rows));
    }
    [[nodiscard]] index views() const noexcept { return static_cast<index>(rebuilders_.size()); }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      const auto rebuilt = rebuilt_.view().slice(0, x.rows());
      for (std::size_t s = 0; s < rebuilders_.size(); ++s) {
        rebuilders_[s].rebuild(x, static_cast<std::uint32_t>(s), rebuilt);
        distance_.measure(machine_, x, const_view(rebuilt), {out.row(static_cast<index>(s)).data(), x.extents()},
                          sample_);
      }
    }

   private:
    Distance distance_;
    typename Context::machine_type machine_;
    std::vector<index> sample_;
    std::vector<typename Context::rebuilder_type> rebuilders_;
    tensor<float, 2> rebuilt_;
  };
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_.starts};
  }

  /// Calls of the network that one row costs.
  template <class Context>
  [[nodiscard]] index network_calls(const Context& context) const {
    const std::size_t size = context.run_levels().size();
    index calls = 0;
    for (const std::size_t first : firsts(size, params_.starts)) calls += static_cast<index>(size - 1 - first);
    return calls;
  }

 private:
  /// Places of the starts among `size` levels, the last of which is the end; the deepest first, where the run begins.
  [[nodiscard]] static std::vector<std::size_t> firsts(std::size_t size, index starts) {
    const std::size_t most = size - 1, count = std::min(most, static_cast<std::size_t>(starts));
    std::vector<std::size_t> out;
    for (std::size_t s = 0; s < count; ++s) out.push_back(s * most / count);
    return out;
  }
  params params_;
};

}  // namespace anodiff::scorers
