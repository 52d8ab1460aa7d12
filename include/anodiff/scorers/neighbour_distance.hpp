// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>

namespace anodiff::scorers {

/// Of the distances to the nearest rows: the largest one (Ramaswamy et al. 2000), or their mean (Angiulli & Pizzuti
/// 2002).
enum class neighbour_reduction { kth, mean };
[[nodiscard]] constexpr std::array<std::string_view, 2> names_of(neighbour_reduction) { return {"kth", "mean"}; }

struct neighbour_distance_params {
  index neighbours = 5;  ///< k; [1, 1024], at most the remembered rows
  neighbour_reduction reduction = neighbour_reduction::mean;

  static constexpr void fields(auto& self, auto&& field) {
    field("neighbours", self.neighbours);
    field("reduction", self.reduction);
  }
};

/// Euclidean distance to the k nearest training rows: what the empirical denoiser's energy ranks as when the noise
/// vanishes. A column's evidence is its share of these distances, so that pooling by the mean gives the score.
class neighbour_distance {
 public:
  using params = neighbour_distance_params;
  static constexpr std::string_view name = "neighbour_distance";

  explicit neighbour_distance(params p = {}) : params_{p} {
    check(p.neighbours >= 1 && p.neighbours <= 1024,
          "scorers::neighbour_distance: neighbours must lie in [1, 1024], got ", p.neighbours);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, const params& p)
        : model_{context.model()},
          k_{std::min(p.neighbours, model_.rows().rows())},
          reduction_{p.reduction},
          distance_(static_cast<std::size_t>(max_rows * k_)),
          place_(distance_.size()) {}
    [[nodiscard]] index views() const noexcept { return 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) { evidence_without(x, {}, out); }
    void evidence_without(tensor_view<const float, 2> x, std::span<const index> self, tensor_view<float, 3> out) {
      model_.neighbours(x, k_, self, distance_.data(), place_.data());
      const index d = x.row_size();
      for (index i = 0; i < x.rows(); ++i) {
        const index* place = place_.data() + i * k_;
        index found = 0;
        while (found < k_ && place[found] >= 0) ++found;
        const index first = reduction_ == neighbour_reduction::kth ? found - 1 : 0;
        for (index j = 0; j < d; ++j) {
          double sum = 0;
          for (index n = first; n < found; ++n) {
            const double length = std::sqrt(distance_[static_cast<std::size_t>(i * k_ + n)]);
            const double e = static_cast<double>(x(i, j)) - static_cast<double>(model_.rows()(place[n], j));
            if (length > 0) sum += e * e / length;
          }
          out.data()[i * d + j] = static_cast<float>(static_cast<double>(d) * sum / static_cast<double>(found - first));
        }
      }
    }

   private:
    typename Context::model_type model_;
    index k_;
    neighbour_reduction reduction_;
    std::vector<double> distance_;
    std::vector<index> place_;
  };
  template <class Context>
  requires neighbourhood<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_};
  }

 private:
  params params_;
};
static_assert(policy<neighbour_distance>);

}  // namespace anodiff::scorers
