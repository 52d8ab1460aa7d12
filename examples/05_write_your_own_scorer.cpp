// SPDX-License-Identifier: Apache-2.0
// A scorer of one's own, in a file of one's own: the distance to the median of several rebuilds. One rebuild may go
// astray; the median of seven does not follow it. See docs/write_your_own_scorer.md.
#include <algorithm>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/metrics/auroc.hpp>
#include <anodiff/models/mlp.hpp>
#include <cstdio>
#include <exception>

#include "pump.hpp"

namespace ad = anodiff;

// 1. The numbers, with their ranges; fields() brings them into model files and messages.
struct median_rebuild_params {
  ad::index repeats = 7;  ///< rebuilds with other noise; [1, 1024]

  static constexpr void fields(auto& self, auto&& field) { field("repeats", self.repeats); }
};

/// |x − median of the rebuilds|, element by element.
class median_rebuild {
 public:
  // 2. What every policy has: params, a name for files, a constructor that checks, parameters().
  using params = median_rebuild_params;
  static constexpr std::string_view name = "median_rebuild";
  explicit median_rebuild(params p = {}) : params_{p} {
    ad::check(p.repeats >= 1 && p.repeats <= 1024, "median_rebuild: repeats must lie in [1, 1024], got ", p.repeats);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  // 3. The run: it allocates all it needs when it is planned, and nothing while it scores.
  template <class Context>
  class run {
   public:
    run(const Context& context, ad::index max_rows, ad::index repeats)
        : rebuilder_{context.rebuilder(max_rows)},
          rebuilt_{{repeats, max_rows * context.row_size()}},
          column_(static_cast<std::size_t>(repeats)) {}
    [[nodiscard]] ad::index views() const noexcept { return 1; }
    // x (n, d); out (views, n, d)
    void evidence(ad::tensor_view<const float, 2> x, ad::tensor_view<float, 3> out) {
      for (ad::index r = 0; r < rebuilt_.rows(); ++r)
        rebuilder_.rebuild(x, static_cast<std::uint32_t>(r), {rebuilt_.row(r).data(), x.extents()});
      for (ad::index i = 0; i < x.size(); ++i) {
        for (ad::index r = 0; r < rebuilt_.rows(); ++r) column_[static_cast<std::size_t>(r)] = rebuilt_(r, i);
        const auto middle = column_.begin() + static_cast<std::ptrdiff_t>(column_.size() / 2);
        std::nth_element(column_.begin(), middle, column_.end());
        out.data()[i] = std::abs(x.data()[i] - *middle);
      }
    }

   private:
    typename Context::rebuilder_type rebuilder_;
    ad::tensor<float, 2> rebuilt_;  // (repeats, max_rows * d)
    std::vector<float> column_;     // (repeats)
  };
  // 4. prepare(context, max_rows) plans a run for up to max_rows rows.
  template <class Context>
  [[nodiscard]] run<Context> prepare(const Context& context, ad::index max_rows) const {
    return {context, max_rows, params_.repeats};
  }

 private:
  params params_;
};

// 5. In a detector it stands like any other scorer: with p-values, evidence, save and load.
using own_detector = ad::detector<ad::models::mlp<ad::cpu_engine>, median_rebuild>;

int main() {
  try {
    own_detector model{
        {.seed = 7, .training = {.steps = 400, .batch = 128, .average = 0.99}, .model = {.width = 64, .layers = 2}}};
    model.fit(pump::rows(600, 1));                                                 // (600, 6)
    const auto fresh = pump::joined(pump::rows(100, 2), pump::rows(50, 3, true));  // (150, 6)
    const auto together = model.score(fresh);
    std::vector<int> labels(150);
    std::fill(labels.begin() + 100, labels.end(), 1);
    const double auroc = ad::metrics::auroc(together.score, labels);
    // 6. A law of all scorers: a row does not see the rows beside it.
    const bool alone = model.score(fresh.view().slice(120, 121)).score[0] == together.score[120];
    std::printf("AUROC %.3f, at least 0.95 expected; a row alone scores %s\n", auroc,
                alone ? "the same" : "DIFFERENTLY");
    return auroc >= 0.95 && alone ? 0 : 1;
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "%s\n", fault.what());
    return 1;
  }
}
