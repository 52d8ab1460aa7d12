// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/knn.hpp>
#include <anodiff/ops/kernel_average.hpp>

namespace anodiff::models {

/// The exact denoiser of the training set: x̂_0 is the posterior mean over the remembered rows. What a network
/// approximates when it only memorises. Karras et al. 2022, arXiv:2206.00364, appendix B.3.
template <engine Engine>
class empirical : public knn<Engine> {
 public:
  using real = typename Engine::real;
  static constexpr std::string_view name = "empirical";
  static constexpr bool gives_clean = true;
  using knn<Engine>::knn;

  class run {
   public:
    run(const empirical& model, std::span<const noise_level> levels, index max_rows)
        : model_{model},
          out_(static_cast<std::size_t>(max_rows * model.rows().row_size())),
          sum_(model.rows().row_size() > ops::kernel_average_small ? out_.size() : 0) {
      for (const auto& level : levels) {
        check(level.sigma > 0, "models::empirical: needs levels with noise, got sigma ", level.sigma);
        alpha_.push_back(level.alpha);
        sigma_.push_back(level.sigma);
      }
    }
    [[nodiscard]] const real* output(const real* x, const std::int32_t* level, index rows) {
      const auto held = model_.rows();
      model_.engine().run(ops::kernel_average<real>{x, level, alpha_.data(), sigma_.data(), held.data(), nullptr,
                                                    out_.data(), nullptr, rows, held.rows(), held.row_size(),
                                                    sum_.empty() ? nullptr : sum_.data()});
      return out_.data();
    }

   private:
    empirical model_;
    aligned_vector<real> out_;
    std::vector<double> sum_, alpha_, sigma_;
  };
  [[nodiscard]] run prepare(std::span<const noise_level> levels, index max_rows) const {
    return {*this, levels, max_rows};
  }
};

}  // namespace anodiff::models
