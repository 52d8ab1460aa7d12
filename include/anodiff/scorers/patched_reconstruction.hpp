// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/distance.hpp>
#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/ops/noise.hpp>

namespace anodiff::scorers {

struct patched_reconstruction_params {
  index repeats = 1;  ///< of the whole with other noise, one view each; [1, 4096]

  static constexpr void fields(auto& self, auto&& field) { field("repeats", self.repeats); }
};

/// The distance between a picture and its rebuild patch by patch: each patch in turn is noised to the start's level
/// while all around it is clean, one call of the network estimates it, and the estimates are put together; where
/// patches overlap the later one counts. Behrendt et al. 2023 (pDDPM), arXiv:2303.03758, section 2.2. Needs a network
/// that was trained with corruptions::patch, and a noised start.
template <class Distance>
class patched_reconstruction {
 public:
  using params = patched_reconstruction_params;
  using distance_policy = Distance;
  static constexpr std::string_view name = "patched_reconstruction";

  explicit patched_reconstruction(params p = {}) : params_{p} {
    check(p.repeats >= 1 && p.repeats <= 4096, "scorers::patched_reconstruction: repeats must lie in [1, 4096], got ",
          p.repeats);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, index repeats)
        : repeats_{repeats},
          machine_{context.machine()},
          levels_{context.run_levels().front()},
          estimator_{context.estimator(levels_, max_rows)},
          corruption_{context.corruption()},
          sample_{context.sample()},
          seed_{context.seed()},
          clip_{static_cast<float>(context.clip().limit)},
          level_(static_cast<std::size_t>(max_rows)),
          noise_{{max_rows, context.row_size()}},
          noised_{{max_rows, context.row_size()}},
          rebuilt_{{max_rows, context.row_size()}} {
      check_is_picture("scorers::patched_reconstruction", sample_);
      check(context.from().kind == start_kind::noised,
            "scorers::patched_reconstruction: needs a noised start, got start.kind '",
            names_of(start_kind{})[static_cast<std::size_t>(context.from().kind)], "'");
    }
    [[nodiscard]] index views() const noexcept { return repeats_; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      const auto rebuilt = rebuilt_.view().slice(0, x.rows());
      for (index r = 0; r < repeats_; ++r) {
        rebuild(x, static_cast<std::uint32_t>(r), rebuilt);
        distance_.measure(machine_, x, rebuilt, {out.row(r).data(), x.extents()}, sample_);
      }
    }

   private:
    void rebuild(tensor_view<const float, 2> x, std::uint32_t draw, tensor_view<float, 2> rebuilt) {
      const auto alpha = static_cast<float>(levels_[0].alpha), sigma = static_cast<float>(levels_[0].sigma);
      const mixture fold = estimator_.fold(levels_[0]);
      const auto of_x = static_cast<float>(fold.first), of_output = static_cast<float>(fold.second);
      corruption_.fill(machine_, {.out = noise_.data(),
                                  .rows = x.rows(),
                                  .row_size = x.row_size(),
                                  .key = {.seed = seed_, .draw = draw, .use = purpose::scoring},
                                  .sample = sample_});
      const index patches = corruption_.count(sample_[0], sample_[1]);
      for (index p = 0; p < patches; ++p) {
        std::copy_n(x.data(), x.size(), noised_.data());
        const auto in_patch = [&](auto&& f) {
          for (index i = 0; i < x.rows(); ++i)
            corruption_.for_each_line(corruption_.at(p, sample_[0], sample_[1]), sample_, [&](index first, index last) {
              for (index e = i * x.row_size() + first; e < i * x.row_size() + last; ++e) f(e);
            });
        };
        in_patch([&](index e) { noised_.data()[e] = alpha * x.data()[e] + sigma * noise_.data()[e]; });
        const float* output = estimator_.output(noised_.data(), level_.data(), x.rows());
        in_patch([&](index e) {
          const float clean = of_x * noised_.data()[e] + of_output * output[e];
          rebuilt.data()[e] = clip_ > 0 ? std::clamp(clean, -clip_, clip_) : clean;
        });
      }
    }

    index repeats_;
    Distance distance_;
    typename Context::machine_type machine_;
    std::vector<noise_level> levels_;
    typename Context::estimator_type estimator_;
    std::remove_cvref_t<decltype(std::declval<const Context&>().corruption())> corruption_;
    std::vector<index> sample_;
    std::uint64_t seed_;
    float clip_;
    std::vector<std::int32_t> level_;
    tensor<float, 2> noise_, noised_, rebuilt_;
  };
  template <class Context>
  requires requires(const Context& context) {
    typename Context::estimator_type;
    context.corruption().count(index{1}, index{1});
  }
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_.repeats};
  }
  /// Calls of the network that one picture costs.
  template <class Context>
  [[nodiscard]] index network_calls(const Context& context) const {
    const auto sample = context.sample();
    return params_.repeats * context.corruption().count(sample[0], sample[1]);
  }

 private:
  params params_;
};

}  // namespace anodiff::scorers
