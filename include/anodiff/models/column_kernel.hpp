// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/knn.hpp>
#include <anodiff/ops/kernel_energy.hpp>
#include <anodiff/preprocessing/tail_taming.hpp>

namespace anodiff::models {

struct column_kernel_params {
  index reference_rows = 4096;  ///< more training rows than this are thinned to a seeded random subset; at least 2
  index rounds = 6;             ///< of the estimation; [0, 1000]
  index queries = 2000;         ///< rows that a round looks at; at least 1
  double floor = 0.03;          ///< least noise level of a column, in its standard deviations; above 0
  bool tame_tails = false;      ///< heavy-tailed columns are pulled towards the normal law first

  static constexpr void fields(auto& self, auto&& field) {
    field("reference_rows", self.reference_rows);
    field("rounds", self.rounds);
    field("queries", self.queries);
    field("floor", self.floor);
    field("tame_tails", self.tame_tails);
  }
};

/// The training rows with the noise level at which an empirical denoiser explains them best, column by column: the
/// widths h_j of a Gaussian kernel density that maximise its leave-one-out likelihood, found by expectation
/// maximisation (h_j² ← the mean of (x_ij − x_kj)² under the posterior weight of row k for row i, i ≠ k; Duin 1976,
/// IEEE Trans. Comput. C-25:1175, with a width for each column). Rows are kept divided by h; `spacing` is the square
/// root of the median squared distance from a row to its nearest, there.
template <engine Engine>
class column_kernel {
 public:
  using params = column_kernel_params;
  using engine_type = Engine;
  using real = typename Engine::real;
  static constexpr std::string_view name = "column_kernel";

  explicit column_kernel(params p = {}, Engine engine = Engine{})
      : params_{p}, held_{{.reference_rows = std::max<index>(1, p.reference_rows)}, std::move(engine)} {
    check(p.reference_rows >= 2, "models::column_kernel: reference_rows must be at least 2, got ", p.reference_rows);
    check(p.rounds >= 0 && p.rounds <= 1000, "models::column_kernel: rounds must lie in [0, 1000], got ", p.rounds);
    check(p.queries >= 1, "models::column_kernel: queries must be at least 1, got ", p.queries);
    check(p.floor > 0, "models::column_kernel: floor must be above 0, got ", p.floor);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] const Engine& engine() const noexcept { return held_.engine(); }
  [[nodiscard]] index capacity(index n) const noexcept { return held_.capacity(n); }
  [[nodiscard]] std::span<const index> remembered() const noexcept { return held_.remembered(); }

  /// Learns from standardised rows x (n, d), n at least 2.
  void remember(tensor_view<const float, 2> x, std::uint64_t seed) {
    held_.remember(x, seed);
    tensor<real, 2> rows{held_.rows()};
    taming_ =
        params_.tame_tails ? preprocessing::tail_taming{tensor<float, 2>{rows.view()}} : preprocessing::tail_taming{};
    const index d = rows.row_size();
    for (index i = 0; params_.tame_tails && i < rows.rows(); ++i)
      for (index j = 0; j < d; ++j) rows(i, j) = static_cast<real>(taming_(j, static_cast<float>(rows(i, j))));
    held_.replace_rows(tensor<real, 2>{rows.view()});
    std::vector<double> width(static_cast<std::size_t>(d),
                              std::max(1.5 * nearest_distance() / std::sqrt(static_cast<double>(d)), params_.floor));
    for (index round = 0; round <= params_.rounds; ++round) {
      tensor<real, 2> scaled{rows.extents()};
      for (index i = 0; i < rows.rows(); ++i)
        for (index j = 0; j < d; ++j)
          scaled(i, j) = static_cast<real>(static_cast<double>(rows(i, j)) / width[static_cast<std::size_t>(j)]);
      held_.replace_rows(std::move(scaled));
      if (round < params_.rounds) improve(width);
    }
    width_ = tensor<real, 2>{tensor_view<const double, 2>{width.data(), {1, d}}};
    spacing_ = tensor<real, 2>{{1, 1}};
    spacing_(0, 0) = static_cast<real>(nearest_distance());
    if (params_.tame_tails) stored_taming_ = tensor<real, 2>{taming_.stored().view()};
  }

  /// Standardised rows x (n, d) as this model keeps them.
  void scale(tensor_view<const float, 2> x, real* out) const noexcept {
    const index d = x.row_size();
    for (index j = 0; j < d; ++j) {
      const auto width = static_cast<double>(width_(0, j));
      const bool tamed = params_.tame_tails && taming_.changes(j);
      for (index i = 0; i < x.rows(); ++i)
        out[i * d + j] = static_cast<real>(static_cast<double>(tamed ? taming_(j, x(i, j)) : x(i, j)) / width);
    }
  }
  [[nodiscard]] tensor_view<const real, 2> rows() const noexcept { return held_.rows(); }
  [[nodiscard]] double spacing() const noexcept { return static_cast<double>(spacing_(0, 0)); }
  /// The width of each column's kernel, in its standard deviations (after taming).
  [[nodiscard]] std::span<const real> widths() const noexcept { return width_.flat(); }

  /// The energy of scaled rows at one noise level, and its spread by columns (or null); see ops::kernel_energy.
  void energy(tensor_view<const real, 2> scaled, double sigma, std::span<const index> exclude, double* energy,
              double* spread) const {
    ops::kernel_energy<real, const typename Engine::weight*> op{};
    op.x = scaled.data();
    op.reference = held_.rows().data();
    op.packed = &held_.product();
    op.exclude = exclude.empty() ? nullptr : exclude.data();
    op.rows = scaled.rows();
    op.count = held_.rows().rows();
    op.row_size = scaled.row_size();
    op.sigma = sigma;
    op.energy = energy;
    op.spread = spread;
    engine().run(op);
  }
  /// As knn::neighbours, of scaled rows.
  void neighbours(tensor_view<const real, 2> scaled, index k, std::span<const index> exclude, double* distance,
                  index* place) const {
    held_.neighbours(scaled, k, exclude, distance, place);
  }

  template <class F>
  void tensors(F&& f) const {
    held_.tensors(f);
    f("width", width_.view());
    f("spacing", spacing_.view());
    if (params_.tame_tails) f("taming", stored_taming_.view());
  }
  template <class Find>
  void restore(const model_shape& shape, Find&& find) {
    held_.restore(shape, find);
    const auto width = find(std::string_view{"width"}), spacing = find(std::string_view{"spacing"});
    check<data_error>(width.size() == shape.size() && spacing.size() == 1,
                      "model 'column_kernel': needs a width for each of ", shape.size(),
                      " columns and one spacing, got ", width.size(), " and ", spacing.size());
    width_ = tensor<real, 2>{width};
    spacing_ = tensor<real, 2>{spacing};
    for (const real h : width_.flat())
      check<data_error>(std::isfinite(h) && h > 0, "model 'column_kernel': widths must be above 0, got ", h);
    check<data_error>(std::isfinite(spacing_(0, 0)) && spacing_(0, 0) > 0,
                      "model 'column_kernel': the spacing must be above 0, got ", spacing_(0, 0));
    if (!params_.tame_tails) return;
    stored_taming_ = tensor<real, 2>{find(std::string_view{"taming"})};
    taming_ = preprocessing::tail_taming::restored(tensor<float, 2>{stored_taming_.view()});
    check<data_error>(taming_.columns() == shape.size(), "model 'column_kernel': needs the taming of ", shape.size(),
                      " columns, got ", taming_.columns());
  }

 private:
  /// The first rows of the remembered, which are in random order.
  [[nodiscard]] index queries() const noexcept { return std::min(params_.queries, held_.rows().rows()); }
  [[nodiscard]] std::vector<index> themselves() const {
    std::vector<index> out(static_cast<std::size_t>(queries()));
    std::iota(out.begin(), out.end(), index{0});
    return out;
  }
  /// Square root of the median squared distance of a row to its nearest; where that is 0, the mean distance above 0,
  /// or 1.
  [[nodiscard]] double nearest_distance() const {
    const index n = queries();
    std::vector<double> square(static_cast<std::size_t>(n));
    std::vector<index> place(square.size());
    held_.neighbours(held_.rows().slice(0, n), 1, themselves(), square.data(), place.data());
    std::ranges::sort(square);
    constexpr double none = 1e-6;
    const double median = std::sqrt((square[(square.size() - 1) / 2] + square[square.size() / 2]) / 2);
    if (median >= none) return median;
    double sum = 0, count = 0;
    for (const double s : square)
      if (s > 0) {
        sum += std::sqrt(s);
        ++count;
      }
    return count > 0 ? sum / count : 1;
  }
  /// One round: each width times the root mean spread of its column.
  void improve(std::vector<double>& width) const {
    const index n = queries(), d = held_.rows().row_size();
    std::vector<double> energies(static_cast<std::size_t>(n)), spread(static_cast<std::size_t>(n * d));
    energy(held_.rows().slice(0, n), 1, themselves(), energies.data(), spread.data());
    for (index j = 0; j < d; ++j) {
      double sum = 0;
      for (index i = 0; i < n; ++i) sum += spread[static_cast<std::size_t>(i * d + j)];
      double& h = width[static_cast<std::size_t>(j)];
      h = std::max(h * std::sqrt(sum / static_cast<double>(n)), params_.floor);
      h = static_cast<double>(static_cast<real>(h));  // as a file can hold it
    }
  }

  params params_;
  knn<Engine> held_;
  preprocessing::tail_taming taming_;
  tensor<real, 2> width_, spacing_, stored_taming_;  // as the file has them
};

}  // namespace anodiff::models
