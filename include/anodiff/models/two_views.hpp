// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/calibration/exponential_tail.hpp>
#include <anodiff/models/column_kernel.hpp>
#include <anodiff/scorers/energy.hpp>
#include <anodiff/scorers/local_gaussian.hpp>

namespace anodiff::models {

struct two_views_params {
  index reference_rows = 4096;  ///< more training rows than this are thinned to a seeded random subset; at least 2
  double multiple = 2.5;        ///< of scorers::energy
  index neighbours = 15;        ///< of scorers::local_gaussian
  double shrinkage = 0.5;       ///< of scorers::local_gaussian
  bool tame_tails = true;       ///< in the second view

  static constexpr void fields(auto& self, auto&& field) {
    field("reference_rows", self.reference_rows);
    field("multiple", self.multiple);
    field("neighbours", self.neighbours);
    field("shrinkage", self.shrinkage);
    field("tame_tails", self.tame_tails);
  }
};

/// The training rows under two column_kernels: as they are, for their energy, and with tamed tails, for a local
/// Gaussian; with the tails of both scores over the remembered rows, each scored without itself.
template <engine Engine>
class two_views {
 public:
  using params = two_views_params;
  using engine_type = Engine;
  using real = typename Engine::real;
  static constexpr std::string_view name = "two_views";

  explicit two_views(params p = {}, Engine engine = Engine{})
      : params_{p},
        energy_{{.multiple = p.multiple}},
        local_gaussian_{{.neighbours = p.neighbours, .shrinkage = p.shrinkage}},
        main_{{.reference_rows = p.reference_rows}, engine},
        partner_{{.reference_rows = p.reference_rows, .tame_tails = p.tame_tails}, engine} {}
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] const Engine& engine() const noexcept { return main_.engine(); }
  [[nodiscard]] index capacity(index n) const noexcept { return main_.capacity(n); }
  [[nodiscard]] std::span<const index> remembered() const noexcept { return main_.remembered(); }

  void remember(tensor_view<const float, 2> x, std::uint64_t seed) {
    main_.remember(x, seed);
    partner_.remember(x, seed);
    const auto kept = main_.remembered();
    const index n = std::min(tail_rows, static_cast<index>(kept.size())), d = x.row_size();
    tensor<float, 2> rows{{n, d}};
    std::vector<index> self(static_cast<std::size_t>(n));
    for (index i = 0; i < n; ++i) {
      self[static_cast<std::size_t>(i)] = i;
      std::ranges::copy(x.row(kept[static_cast<std::size_t>(i)]), rows.row(i).begin());
    }
    auto by_energy = energy_.on(main_, n);
    by_energy.measure(rows, self);
    auto by_cloud = local_gaussian_.on(partner_, n);
    by_cloud.measure(rows, self);
    const auto stored = [&](std::span<const double> scores) {
      return tensor<real, 2>{tensor_view<const double, 2>{scores.data(), {1, n}}};
    };
    take_tails(stored(by_energy.energies()), stored(by_cloud.values()));
  }

  [[nodiscard]] const scorers::energy& energy() const noexcept { return energy_; }
  [[nodiscard]] const scorers::local_gaussian& local_gaussian() const noexcept { return local_gaussian_; }
  [[nodiscard]] const column_kernel<Engine>& main() const noexcept { return main_; }
  [[nodiscard]] const column_kernel<Engine>& partner() const noexcept { return partner_; }
  [[nodiscard]] const calibration::exponential_tail& main_tail() const noexcept { return main_tail_; }
  [[nodiscard]] const calibration::exponential_tail& partner_tail() const noexcept { return partner_tail_; }
  /// Whether that remembered row's own scores are among those of the tails.
  [[nodiscard]] bool in_tails(index row) const noexcept { return row >= 0 && row < tail_rows; }

  template <class F>
  void tensors(F&& f) const {
    main_.tensors([&](std::string_view what, auto&& values) { f(concat("main.", what), values); });
    partner_.tensors([&](std::string_view what, auto&& values) { f(concat("partner.", what), values); });
    f("main.tail", main_scores_.view());
    f("partner.tail", partner_scores_.view());
  }
  template <class Find>
  void restore(const model_shape& shape, Find&& find) {
    main_.restore(shape, [&](std::string_view what) { return find(concat("main.", what)); });
    partner_.restore(shape, [&](std::string_view what) { return find(concat("partner.", what)); });
    take_tails(tensor<real, 2>{find(std::string_view{"main.tail"})},
               tensor<real, 2>{find(std::string_view{"partner.tail"})});
  }

 private:
  static constexpr index tail_rows = 4000;
  void take_tails(tensor<real, 2> main, tensor<real, 2> partner) {
    const auto tail = [](const tensor<real, 2>& scores) {
      for (const real s : scores.flat())
        check<data_error>(std::isfinite(s), "model 'two_views': needs finite scores of the remembered rows, got ", s);
      return calibration::exponential_tail{std::vector<double>(scores.flat().begin(), scores.flat().end())};
    };
    main_tail_ = tail(main);
    partner_tail_ = tail(partner);
    main_scores_ = std::move(main);
    partner_scores_ = std::move(partner);
  }

  params params_;
  scorers::energy energy_;
  scorers::local_gaussian local_gaussian_;
  column_kernel<Engine> main_, partner_;
  calibration::exponential_tail main_tail_, partner_tail_;
  tensor<real, 2> main_scores_, partner_scores_;  // what the tails were made of, as the file has them
};

}  // namespace anodiff::models
